package profiles

import (
	"bytes"
	"encoding/json"
	"errors"
)

// errCut is all that is said of a document that cannot be cut: it is full of
// credentials.
var errCut = errors.New("it has another form than expected, and was left as it is")

// cutProfile takes the entry id out of the profiles of a document, and leaves
// every other byte as it is: what ocwatch does not understand of the file is
// not lost. It reports whether there was such an entry.
func cutProfile(doc []byte, id string) (cut []byte, found bool, err error) {
	top, err := spans(doc)
	if err != nil {
		return nil, false, errCut
	}
	cut = doc
	for _, m := range top {
		if m.name != "profiles" {
			continue
		}
		if found { // two objects of that name: not of OpenClaw's making
			return nil, false, errCut
		}
		inner, n, err := cutMember(doc[m.value:m.end], id)
		if err != nil {
			return nil, false, errCut
		}
		if n > 0 {
			found = true
			cut = bytes.Join([][]byte{doc[:m.value], inner, doc[m.end:]}, nil)
		}
	}
	return cut, found, nil
}

// span is one member of an object: where its name, its value and its end are.
type span struct {
	name              string
	start, value, end int
}

// spans lists the members of the one object that doc is.
func spans(doc []byte) ([]span, error) {
	dec := json.NewDecoder(bytes.NewReader(doc))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errNotObject
	}
	var list []span
	for dec.More() {
		start := int(dec.InputOffset()) + bytes.IndexByte(doc[dec.InputOffset():], '"')
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, errNotObject
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, errNotObject
		}
		end := int(dec.InputOffset())
		list = append(list, span{name: name, start: start, value: end - len(value), end: end})
	}
	if _, err := dec.Token(); err != nil {
		return nil, errNotObject
	}
	if len(bytes.TrimSpace(doc[dec.InputOffset():])) > 0 {
		return nil, errNotObject
	}
	return list, nil
}

// cutMember cuts every member called name out of the object doc, along with one
// comma each, and says how many there were.
func cutMember(doc []byte, name string) (cut []byte, n int, err error) {
	list, err := spans(doc)
	if err != nil {
		return nil, 0, err
	}
	last := -1 // of those that stay
	for i, m := range list {
		if m.name == name {
			n++
		} else {
			last = i
		}
	}
	if n == 0 {
		return doc, 0, nil
	}
	head, tail := doc[:list[0].start], doc[list[len(list)-1].end:]
	if last < 0 {
		head = bytes.TrimRight(head, " \t\r\n")
	}
	cut = append(cut, head...)
	for i, m := range list {
		switch {
		case m.name == name:
		case i < last:
			cut = append(cut, doc[m.start:list[i+1].start]...)
		default:
			cut = append(cut, doc[m.start:m.end]...)
		}
	}
	return append(cut, tail...), n, nil
}

// sameBut reports whether cut holds what doc holds, byte for byte, but for the
// profile id.
func sameBut(doc, cut []byte, id string) bool {
	was, err := spans(doc)
	if err != nil {
		return false
	}
	is, err := spans(cut)
	if err != nil || len(was) != len(is) {
		return false
	}
	for i, m := range was {
		a, b := doc[m.value:m.end], cut[is[i].value:is[i].end]
		same := bytes.Equal(a, b)
		if m.name == "profiles" {
			same = sameMembers(a, b, id)
		}
		if !same || m.name != is[i].name {
			return false
		}
	}
	return true
}

func sameMembers(a, b []byte, id string) bool {
	was, err := spans(a)
	if err != nil {
		return false
	}
	is, err := spans(b)
	if err != nil {
		return false
	}
	for _, m := range was {
		if m.name == id {
			continue
		}
		if len(is) == 0 || is[0].name != m.name || !bytes.Equal(a[m.value:m.end], b[is[0].value:is[0].end]) {
			return false
		}
		is = is[1:]
	}
	return len(is) == 0
}
