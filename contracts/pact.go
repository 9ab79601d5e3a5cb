package contracts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// maxPact is the size of the largest pact file that is read, in bytes.
const maxPact = 32 << 20

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

// A pact is what Foreshock needs to know of a pact file; the verifier reads it itself.
type pact struct {
	file         string
	consumer     string
	provider     string
	interactions []Interaction // without outcome
}

// pactFile is the part of the format that is common to its versions 1 to 4.
type pactFile struct {
	Consumer, Provider struct{ Name string }
	Interactions       []struct {
		Type           string // of version 4
		Description    string
		ProviderState  string `json:"providerState"`
		ProviderStates []struct{ Name string }
		Pending        bool
		Request        struct{ Method, Path string }
	}
	Messages []json.RawMessage
}

// readPacts reads the files and the *.json of the directories among paths.
func readPacts(paths []string) ([]pact, error) {
	var pacts []pact
	for _, path := range paths {
		files, err := filesOf(path)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			p, err := readPact(f)
			if err != nil {
				return nil, err
			}
			pacts = append(pacts, p)
		}
	}
	return pacts, nil
}

func filesOf(path string) ([]string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, &FileError{File: path, Err: reasonOf(err)}
	case !info.IsDir():
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, &FileError{File: path, Err: reasonOf(err)}
	}
	var files []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".json" && !e.IsDir() {
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	return files, nil
}

func readPact(file string) (pact, error) {
	info, err := os.Stat(file)
	if err != nil {
		return pact{}, &FileError{File: file, Err: reasonOf(err)}
	}
	if !info.Mode().IsRegular() || info.Size() > maxPact {
		return pact{}, &FileError{File: file, Err: fmt.Errorf("got %v of %d bytes, want a file of at most %d", info.Mode().Type(), info.Size(), maxPact)}
	}
	text, err := os.ReadFile(file) //nolint:gosec // the user names the file
	if err != nil {
		return pact{}, &FileError{File: file, Err: reasonOf(err)}
	}
	return parsePact(file, text)
}

func parsePact(file string, text []byte) (pact, error) {
	var f pactFile
	if err := json.Unmarshal(text, &f); err != nil {
		line, col := place(text, offsetOf(err))
		return pact{}, &FileError{file, line, col, fmt.Errorf("not a pact: %w", err)}
	}
	p := pact{file: file, consumer: f.Consumer.Name, provider: f.Provider.Name}
	if p.consumer == "" || p.provider == "" {
		return p, &FileError{file, 1, 1, errors.New("not a pact: got no consumer.name or no provider.name, want both")}
	}
	if len(f.Messages) > 0 {
		return p, &FileError{file, 1, 1, errors.New("got a pact with messages, want one of HTTP interactions")}
	}
	lines := interactionLines(text, len(f.Interactions))
	for i, in := range f.Interactions {
		if in.Type != "" && in.Type != "Synchronous/HTTP" {
			return p, &FileError{file, lines[i], 1, fmt.Errorf("%s: got an interaction of type %q, want Synchronous/HTTP", in.Description, in.Type)}
		}
		out := Interaction{
			File: file, Line: lines[i], Consumer: p.consumer, Description: in.Description,
			Method: in.Request.Method, Path: in.Request.Path, Pending: in.Pending,
		}
		if in.ProviderState != "" {
			out.States = append(out.States, in.ProviderState)
		}
		for _, s := range in.ProviderStates {
			out.States = append(out.States, s.Name)
		}
		p.interactions = append(p.interactions, out)
	}
	return p, nil
}

// interactionLines returns the lines at which the n interactions of a pact begin; 1
// for those it cannot find.
func interactionLines(text []byte, n int) []int {
	lines := slices.Repeat([]int{1}, n)
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil { // {
		return lines
	}
	for d.More() {
		var value json.RawMessage
		key, err := d.Token()
		if err == nil && key == "interactions" {
			_, err = d.Token() // [
			for i := 0; i < n && err == nil; i++ {
				err = d.Decode(&value)
				lines[i], _ = place(text, d.InputOffset()-int64(len(value)))
			}
			return lines
		}
		if err != nil || d.Decode(&value) != nil {
			return lines
		}
	}
	return lines
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

// reasonOf drops the path that an *os.PathError repeats.
func reasonOf(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}

// choose keeps the pacts between the provider and the consumers of a request, and
// says of each other why it does not count.
func choose(pacts []pact, req Request) (kept []pact, passedOver []string) {
	for _, p := range pacts {
		switch {
		case p.provider != req.Provider:
			passedOver = append(passedOver, fmt.Sprintf("%s: its provider is %q, not %q", p.file, p.provider, req.Provider))
		case len(req.Consumers) > 0 && !slices.Contains(req.Consumers, p.consumer):
			passedOver = append(passedOver, fmt.Sprintf("%s: its consumer is %q, which was not asked for", p.file, p.consumer))
		case len(p.interactions) == 0:
			passedOver = append(passedOver, p.file+": it has no interactions")
		default:
			kept = append(kept, p)
		}
	}
	return kept, passedOver
}
