package kind

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// depthLimit is how deep values may lie within each other: the parser calls itself for
// each level.
const depthLimit = 100

// tokenize refuses what is too deep, and leaves out the start of an empty document:
// the parser would end at the next one.
func tokenize(file, text string) (token.Tokens, error) {
	if err := readable(file, text); err != nil {
		return nil, err
	}
	var out token.Tokens
	var flow int
	var columns []int // of the block collections that enclose the token
	for _, t := range lexer.Tokenize(text) {
		switch t.Type { //nolint:exhaustive // the rest does not enclose
		case token.CommentType:
			continue
		case token.DocumentHeaderType:
			if len(out) > 0 && out[len(out)-1].Type == token.DocumentHeaderType {
				out = out[:len(out)-1]
			}
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow = max(0, flow-1)
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType:
			col := t.Position.Column
			columns = append(slices.DeleteFunc(columns, func(c int) bool { return c >= col }), col)
		}
		if flow+len(columns) > depthLimit {
			return nil, &Error{File: file, Line: t.Position.Line, Col: t.Position.Column, Msg: fmt.Sprintf("got values more than %d deep in each other, want fewer", depthLimit)}
		}
		out = append(out, t)
	}
	return out, nil
}

// readable refuses what is no text: the parser would quietly change it.
func readable(file, text string) error {
	if utf8.ValidString(text) && !strings.Contains(text, "\x00") {
		return nil
	}
	at := strings.IndexFunc(text, func(r rune) bool { return r == utf8.RuneError || r == 0 })
	before := text[:at]
	line := before[strings.LastIndexByte(before, '\n')+1:]
	return &Error{
		File: file, Line: strings.Count(before, "\n") + 1, Col: utf8.RuneCountInString(line) + 1,
		Msg: "not readable as YAML: got bytes that are not text in UTF-8",
	}
}

// syntax keeps the parser's message and place, and drops the lines of the file that
// it prints around them: they may hold secrets.
func syntax(file string, err error) error {
	var y yaml.Error
	if !errors.As(err, &y) || y.GetToken() == nil {
		return &Error{File: file, Line: 1, Col: 1, Msg: "not readable as YAML"}
	}
	p := y.GetToken().Position
	return &Error{File: file, Line: p.Line, Col: p.Column, Msg: "not readable as YAML: " + y.GetMessage()}
}
