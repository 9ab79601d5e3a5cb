package contracts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/foreshock/foreshock/contracts/broker"
)

// A FileError is a pact file that cannot be used: the user's to correct, and no news
// of the provider.
type FileError struct {
	File      string
	Line, Col int // from 1; 0 if it concerns the whole file
	Err       error
}

// Error gives file:line:column: reason, as editors read it.
func (e *FileError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s:%d:%d: %v", e.File, e.Line, e.Col, e.Err)
}

// Unwrap returns the reason.
func (e *FileError) Unwrap() error { return e.Err }

// A pact is what Foreshock needs to know of a pact; the verifier reads it itself.
type pact struct {
	file         string // its path, or its address
	local        bool   // the verifier can read it there as it is
	consumer     string
	provider     string
	content      map[string]json.RawMessage
	interactions []Interaction // without outcome
	partly       bool          // there are more, which do not count
	broker       *broker.Pact  // where it came from; nil: not from a broker
}

// pactInteraction is the part of an interaction that is common to versions 1 to 4 of
// the format.
type pactInteraction struct {
	ID             string `json:"_id"`
	Type           string // of version 4
	Description    string
	ProviderState  string `json:"providerState"`
	ProviderStates []struct{ Name string }
	Pending        bool
	Request        struct{ Method, Path string }
	Comments       struct {
		Foreshock struct{ Safe bool }
	}
}

// typeOf reads the interaction types of version 4; earlier versions have none.
func typeOf(t string) (Type, bool) {
	switch t {
	case "", "Synchronous/HTTP":
		return HTTP, true
	case "Asynchronous/Messages":
		return Message, true
	case "Synchronous/Messages":
		return SyncMessage, true
	}
	return "", false
}

func parsePact(file string, text []byte) (pact, error) {
	var f struct{ Consumer, Provider struct{ Name string } }
	p := pact{file: file}
	err := json.Unmarshal(text, &p.content)
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err != nil {
		line, col := place(text, offsetOf(err))
		return p, &FileError{file, line, col, fmt.Errorf("not a pact: %w", err)}
	}
	p.consumer, p.provider = f.Consumer.Name, f.Provider.Name
	if p.consumer == "" || p.provider == "" {
		return p, &FileError{file, 1, 1, errors.New("not a pact: got no consumer.name or no provider.name, want both")}
	}
	if err := p.add(text, "interactions", ""); err != nil {
		return p, err
	}
	return p, p.add(text, "messages", "Asynchronous/Messages")
}

// add reads the list of interactions under key; kind is the type of those that give none.
func (p *pact) add(text []byte, key, kind string) error {
	raw, ok := p.content[key]
	if !ok {
		return nil
	}
	var list []json.RawMessage
	begin := int64(bytes.Index(text, raw)) // the only place where errors of this list can be shown
	wrong := func(offset int64, err error) error {
		line, col := place(text, offset)
		return &FileError{p.file, line, col, fmt.Errorf("not a pact: %s: %w", key, err)}
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return wrong(begin+offsetOf(err), err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil { // [
		return wrong(begin, err)
	}
	for _, content := range list {
		var one json.RawMessage
		if err := d.Decode(&one); err != nil {
			return wrong(begin+d.InputOffset(), err)
		}
		at := begin + d.InputOffset() - int64(len(one))
		var in pactInteraction
		if err := json.Unmarshal(content, &in); err != nil {
			return wrong(at+offsetOf(err), err)
		}
		if in.Type == "" {
			in.Type = kind
		}
		line, _ := place(text, at)
		out, err := in.read(content)
		if err != nil {
			return &FileError{p.file, line, 1, err}
		}
		out.File, out.Line, out.Consumer = p.file, line, p.consumer
		p.interactions = append(p.interactions, out)
	}
	return nil
}

func (in pactInteraction) read(content json.RawMessage) (Interaction, error) {
	t, ok := typeOf(in.Type)
	if !ok {
		return Interaction{}, fmt.Errorf("%s: got an interaction of type %q, want Synchronous/HTTP, Asynchronous/Messages or Synchronous/Messages",
			in.Description, in.Type)
	}
	out := Interaction{
		Type: t, Description: in.Description, Method: in.Request.Method, Path: in.Request.Path,
		Pending: in.Pending, own: in.Pending, id: in.ID, marked: in.Comments.Foreshock.Safe, content: content,
	}
	if in.ProviderState != "" {
		out.States = append(out.States, in.ProviderState)
	}
	for _, s := range in.ProviderStates {
		out.States = append(out.States, s.Name)
	}
	return out, nil
}

// reduced is the pact with no more than the interactions that are left.
func (p pact) reduced() ([]byte, error) {
	content := maps.Clone(p.content)
	lists := map[string][]json.RawMessage{}
	for _, in := range p.interactions {
		key := "interactions"
		if _, ok := p.content["messages"]; ok && in.Type == Message {
			key = "messages"
		}
		lists[key] = append(lists[key], in.content)
	}
	for _, key := range []string{"interactions", "messages"} {
		if _, ok := content[key]; !ok {
			continue
		}
		raw, err := json.Marshal(slices.Concat([]json.RawMessage{}, lists[key]))
		if err != nil {
			return nil, err
		}
		content[key] = raw
	}
	return json.Marshal(content)
}

// place turns an offset into a line and a column, from 1.
func place(text []byte, offset int64) (line, col int) {
	before := text[:min(max(offset, 0), int64(len(text)))]
	return 1 + bytes.Count(before, []byte("\n")), len(before) - bytes.LastIndexByte(before, '\n')
}

// offsetOf returns where JSON went wrong: the errors count the byte itself.
func offsetOf(err error) int64 {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return e.Offset - 1
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return e.Offset - 1
	}
	return 0
}
