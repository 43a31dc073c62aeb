package lab

import (
	"bytes"
	"encoding/json"
	"net/http"
)

func modelOf(r *http.Request, body []byte) string {
	var v struct {
		Model string `json:"model"`
	}
	if r.Header.Get("Content-Encoding") != "" || json.Unmarshal(body, &v) != nil {
		return ""
	}
	return v.Model
}

// turn is the shortest stream that both runtimes accept as an answer.
func turn(req Request) []byte {
	text := "ok from " + req.Account
	item := map[string]any{
		"type": "message", "id": "msg_lab", "role": "assistant", "status": "completed",
		"content": []any{map[string]any{"type": "output_text", "text": text, "annotations": []any{}}},
	}
	open := map[string]any{"type": "message", "id": "msg_lab", "role": "assistant", "status": "in_progress", "content": []any{}}
	part := map[string]any{"type": "output_text", "text": "", "annotations": []any{}}
	response := func(status string, output ...any) map[string]any {
		return map[string]any{
			"id": "resp_lab", "object": "response", "status": status, "model": req.Model, "output": output,
			"usage": map[string]any{
				"input_tokens": 10, "output_tokens": 3, "total_tokens": 13,
				"input_tokens_details":  map[string]any{"cached_tokens": 0},
				"output_tokens_details": map[string]any{"reasoning_tokens": 0},
			},
		}
	}
	at := func(m map[string]any) map[string]any {
		m["output_index"], m["content_index"], m["item_id"] = 0, 0, "msg_lab"
		return m
	}
	return events(
		map[string]any{"type": "response.created", "response": response("in_progress")},
		map[string]any{"type": "response.output_item.added", "output_index": 0, "item": open},
		at(map[string]any{"type": "response.content_part.added", "part": part}),
		at(map[string]any{"type": "response.output_text.delta", "delta": text}),
		at(map[string]any{"type": "response.output_text.done", "text": text}),
		map[string]any{"type": "response.output_item.done", "output_index": 0, "item": item},
		map[string]any{"type": "response.completed", "response": response("completed", item)},
	)
}

func events(list ...map[string]any) []byte {
	var b bytes.Buffer
	for i, e := range list {
		e["sequence_number"] = i
		data, err := json.Marshal(e)
		if err != nil {
			return nil
		}
		b.WriteString("event: " + e["type"].(string) + "\ndata: ") //nolint:forcetypeassert // spelled above
		b.Write(data)
		b.WriteString("\n\n")
	}
	return b.Bytes()
}
