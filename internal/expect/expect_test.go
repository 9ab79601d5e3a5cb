package expect_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/internal/expect"
	"github.com/foreshock/foreshock/internal/kind"
)

// compile reads an expectation as a configuration gives it.
func compile(t *testing.T, text string) (*expect.HTTP, error) {
	t.Helper()
	docs, err := kind.Parse("f.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var h expect.HTTP
	for _, n := range docs {
		if err := n.Decode(&h); err != nil {
			return nil, err
		}
	}
	return &h, h.Compile()
}

func answer(status int, body string, header ...string) expect.Answer {
	a := expect.Answer{Status: status, Header: http.Header{}, Body: []byte(body)}
	for i := 0; i < len(header); i += 2 {
		a.Header.Add(header[i], header[i+1])
	}
	return a
}

const order = `{"paid": true, "id": 7, "total": 12.5, "note": null, "name": "Mug <3", "lines": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}], "to": {"zip": "10115"}, "empty": ""}`

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ want, says string }{
		{"{}", ""},
		{"status: [200]", ""},
		{"status: [503, 200]", ""},
		{"status: [201]", "status: got 200, want 201"},
		{"status: [201, 204]", "status: got 200, want 201 or 204"},
		{"headers: {content-type: json}", ""},
		{"headers: {Content-Type: xml}", `header Content-Type: got "application/json", want it to contain "xml"`},
		{"headers: {X-None: a}", `header X-None: got "", want it to contain "a"`},
		{"headers: {Via: two}", ""}, // any of several
		{"body: Mug <3", ""},
		{"body: Cup", `body: got "{\"paid\": true, \"id\": 7, \"total\": 12.5, \"note\": null, \"name\": \"Mug <3\", \"lines\": [{\"sku\": \"a\", \"n\": 1}, {\"sku\": \"b\", \"n\":" ... (162 bytes), want it to contain "Cup"`},
		{`matches: '"id": \d+,'`, ""},
		{`matches: '^\['`, `body: got "{\"paid\": true, \"id\": 7, \"total\": 12.5, \"note\": null, \"name\": \"Mug <3\", \"lines\": [{\"sku\": \"a\", \"n\": 1}, {\"sku\": \"b\", \"n\":" ... (162 bytes), want it to match "^\\["`},

		{"json: {$.paid: true}", ""},
		{"json: {$.paid: false}", "json $.paid: got true, want false"},
		{"json: {$.paid: 'true'}", `json $.paid: got true, want "true"`},
		{"json: {$.id: 7}", ""},
		{"json: {$.id: 7.0}", ""},
		{"json: {$.id: '7'}", `json $.id: got 7, want "7"`},
		{"json: {$.id: 8}", "json $.id: got 7, want 8"},
		{"json: {$.total: 12.5}", ""},
		{"json: {$.name: Mug <3}", ""},
		{"json: {$.name: Cup}", `json $.name: got "Mug <3", want "Cup"`},
		{"json: {$.empty: ''}", ""},
		{"json: {$.note: null}", ""},
		{"json: {$.note: 1}", "json $.note: got null, want 1"},
		{"json: {$.paid: null}", "json $.paid: got true, want null"},
		{"json: {$.none: null}", "json $.none: got nothing there, want null"},
		{"json: {$.none: 1}", "json $.none: got nothing there, want 1"},
		{"json: {$.to.zip: '10115'}", ""},
		{"json: {$.to: {zip: '10115'}}", ""},
		{"json: {$.to: {zip: 10115}}", `json $.to: got {"zip":"10115"}, want {"zip":10115}`},
		{"json: {'$.lines[1].n': 2}", ""},
		{"json: {'$.lines[*].sku': b}", ""}, // any of those found
		{"json: {'$.lines[*].sku': c}", `json $.lines[*].sku: got "a", "b", want "c"`},
		{"json: {'$.lines[?(@.n > 1)].sku': b}", ""},
		{"json: {$.lines: [{sku: a, n: 1}, {sku: b, n: 2}]}", ""},
		{"json: {$.lines: []}", `json $.lines: got [{"n":1,"sku":"a"},{"n":2,"sku":"b"}], want []`},
		{"json: {$..zip: '10115'}", ""},
		{"json: {'$': {}}", `json $: got {"empty":"","id":7,"lines":[{"n":1,"sku":"a"},{"n":2,"sku":"b"}],"name":"Mug <3","note":null,"paid":true,"to":{"zip":"10 ... (139 bytes), want {}`},

		// All that is wrong is told, always in the same order.
		{
			"{status: [201], headers: {B: x, A: x}, body: Cup, json: {$.b: 1, $.a: 1}}",
			"status: got 200, want 201\n" + `header A: got "", want it to contain "x"` + "\n" + `header B: got "", want it to contain "x"` + "\n" +
				`body: got "{\"paid\": true, \"id\": 7, \"total\": 12.5, \"note\": null, \"name\": \"Mug <3\", \"lines\": [{\"sku\": \"a\", \"n\": 1}, {\"sku\": \"b\", \"n\":" ... (162 bytes), want it to contain "Cup"` + "\n" +
				"json $.a: got nothing there, want 1\njson $.b: got nothing there, want 1",
		},
	} {
		h, err := compile(t, c.want)
		if err != nil {
			t.Fatalf("%s: %v", c.want, err)
		}
		a := answer(200, order, "Content-Type", "application/json", "Via", "one", "Via", "two")
		for range 5 { // the order of a map changes
			if got := textOf(h.Check(a)); got != c.says {
				t.Errorf("%s:\ngot  %s\nwant %s", c.want, got, c.says)
				break
			}
		}
	}
}

func TestCheckBodies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ want, body, says string }{
		{"json: {$.a: 1}", "<html>", `body: got "<html>", want JSON: invalid character '<' looking for beginning of value`},
		{"json: {$.a: 1}", "", `body: got "", want JSON: unexpected end of JSON input`},
		{"json: {$.a: 1}", `{"a": 1} x`, `body: got "{\"a\": 1} x", want JSON: invalid character 'x' after top-level value`},
		{"json: {'$[0]': 1}", "[1]", ""},
		{"json: {$: 5}", "5", ""},
		{"json: {$.id: 9007199254740993}", `{"id": 9007199254740993}`, ""},
		{"json: {$.id: 9007199254740993}", `{"id": 9007199254740992}`, "json $.id: got 9007199254740992, want 9007199254740993"},
		{"json: {$.id: 1e3}", `{"id": 1000}`, ""},
		{"json: {$.id: 1000}", `{"id": 1e3}`, ""},
		{"json: {$.a: Infinity}", `{"a": "Infinity"}`, ""},
		{"body: b", strings.Repeat("a", 119) + "éé", `body: got "` + strings.Repeat("a", 119) + `" ... (123 bytes), want it to contain "b"`},
		{"body: b", "\x00\xff\n", `body: got "\x00\xff\n", want it to contain "b"`},
		{"body: b", strings.Repeat("a", 1<<20), `body: got "` + strings.Repeat("a", 120) + `" ... (1048576 bytes), want it to contain "b"`},
		{"json: {$.a: 1}", `{"a": "` + strings.Repeat("x", 1<<20) + `"}`, `json $.a: got "` + strings.Repeat("x", 119) + ` ... (1048578 bytes), want 1`},
	} {
		h, err := compile(t, c.want)
		if err != nil {
			t.Fatalf("%s: %v", c.want, err)
		}
		if got := textOf(h.Check(answer(200, c.body))); got != c.says {
			t.Errorf("%s of %.40q:\ngot  %s\nwant %s", c.want, c.body, got, c.says)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"status: [200, 99]":        "status[1]: got 99, want an HTTP status from 100 to 599",
		"status: [600]":            "status[0]: got 600, want an HTTP status from 100 to 599",
		"matches: '('":             "matches: got \"(\", want a regular expression: error parsing regexp: missing closing ): `(`",
		"json: {paid: true}":       `json: got "paid", want a JSONPath that starts with $, such as $.paid`,
		"json: {'$.[': 1}":         "json: got \"$.[\", want a JSONPath such as $.paid: ",
		"json: {b: 1, c: 1, a: 1}": `json: got "a", want a JSONPath that starts with $, such as $.paid`, // the first by name
		"bdy: x":                   `f.yaml:1:1: unknown key "bdy"; did you mean "body"? Known: status, headers, body, matches, json`,
		"json: {$.a: '$${x}'}":     "",
		"headers: {A: null}":       "f.yaml:1:14: headers.A: got nothing, want a text",
	} {
		for range 5 {
			if _, err := compile(t, text); !strings.HasPrefix(textOf(err), want) || want == "" && err != nil {
				t.Errorf("%s:\ngot  %v\nwant %s", text, err, want)
				break
			}
		}
	}
}

func TestIsZero(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"{}": true, "status: [200]": false, "headers: {A: b}": false, "body: a": false, "matches: a": false, "json: {$.a: 1}": false, "status: []": true,
	} {
		h, err := compile(t, text)
		if err != nil || h.IsZero() != want {
			t.Errorf("%s: got %v and %v, want %v", text, h.IsZero(), err, want)
		}
	}
	var h expect.HTTP
	if err := h.Check(answer(500, "")); err != nil {
		t.Errorf("got %v, want the zero value to expect nothing", err)
	}
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
