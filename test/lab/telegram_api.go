package lab

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
)

func bot() map[string]any {
	return map[string]any{
		"id": 123456789, "is_bot": true, "first_name": "Lab", "username": "lab_bot",
		"can_join_groups": true, "can_read_all_group_messages": false, "supports_inline_queries": false,
	}
}

func owner() map[string]any {
	return map[string]any{"id": 424242, "type": "private", "first_name": "Owner"}
}

// botMethod answers what changes nothing here.
func botMethod(method string, params map[string]string) (int, any) {
	switch method {
	case "getMe":
		return http.StatusOK, bot()
	case "getWebhookInfo":
		return http.StatusOK, map[string]any{"url": "", "has_custom_certificate": false, "pending_update_count": 0}
	case "getChat":
		if params["chat_id"] == TelegramOwner {
			return http.StatusOK, owner()
		}
		return http.StatusBadRequest, "Bad Request: chat not found"
	case "deleteWebhook", "setMyCommands", "deleteMyCommands", "sendChatAction", "setMyDescription", "setMyShortDescription":
		return http.StatusOK, true
	case "getMyCommands":
		return http.StatusOK, []any{}
	default:
		return http.StatusNotFound, "Not Found"
	}
}

// botAnswer writes the API's envelope: a result, or the description of an error.
func botAnswer(w http.ResponseWriter, status int, v any) {
	body := map[string]any{"ok": status == http.StatusOK}
	if status == http.StatusOK {
		body["result"] = v
	} else {
		body["error_code"], body["description"] = status, v
	}
	status, header, b := encode(status, body)
	maps.Copy(w.Header(), header)
	w.WriteHeader(status)
	_, _ = w.Write(b) // the caller may be gone
}

// botParams reads the parameters of a call, which OpenClaw sends as JSON.
func botParams(r *http.Request) (map[string]string, error) {
	b, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil || len(b) == 0 {
		return nil, err
	}
	var v map[string]any
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber() // a chat's id may be longer than a float is exact
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	params := map[string]string{}
	for key, value := range v {
		switch value := value.(type) {
		case string:
			params[key] = value
		case json.Number:
			params[key] = value.String()
		}
	}
	return params, nil
}
