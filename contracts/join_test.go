package contracts

import (
	"os"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/contracts/worker"
)

func inventoryPact(t *testing.T) (pact, string) {
	t.Helper()
	p, err := readPact("testdata/inventory.json")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/verdict_mismatch.json")
	if err != nil {
		t.Fatal(err)
	}
	return p, string(text)
}

func TestJoinOfARecordedVerdict(t *testing.T) {
	t.Parallel()
	p, text := inventoryPact(t)
	got, err := join(p, worker.Pact{Code: 1, Verdict: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	if m := got[1].Mismatches; len(m) != 2 || m[0].Text != "expected 404 but was 500" || m[0].Actual != "500" || m[1].Path != "$.error" || m[1].Expected != `"not found"` {
		t.Errorf("got %+v", m)
	}
	if got[0].Outcome != Broken || got[0].Duration.String() != "42ms" || p.interactions[0].Outcome != "" {
		t.Errorf("got %+v; the pact's own became %+v", got[0], p.interactions[0])
	}
}

// A verdict that does not fit its pact must never become an ok.
func TestJoinRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	p, text := inventoryPact(t)
	allOK := strings.ReplaceAll(text, `"result":"Error"`, `"result":"OK"`)
	none := `{"errors":[{"mismatch":{"type":"error","message":"Failed to load pact"}}],"interactionResults":[],"result":false}`
	for name, tt := range map[string]struct {
		code          int
		verdict, want string
	}{
		"verifier crashed":     {3, text, "the verifier failed with code 3"},
		"no handle":            {-1, text, "the verifier failed with code -1"},
		"no verdict":           {0, "", "the verifier failed with code 0"},
		"not JSON":             {0, "[", "the verifier's answer: unexpected end of JSON input"},
		"nothing verified":     {0, `{"result":true}`, "got results of 0 interactions, want 2"},
		"pact not loaded":      {1, none, "got results of 0 interactions, want 2: Failed to load pact"},
		"code against results": {1, allOK, "the verifier's code 1 and its results disagree"},
		"results against code": {0, text, "the verifier's code 0 and its results disagree"},
		"another interaction":  {1, strings.Replace(text, `"description":"a request for stock of sku-1"`, `"description":"x"`, 1), `got a result of "x", which the pact does not have so often`},
		"one twice": {
			1, strings.ReplaceAll(text, `"description":"a request for stock of an unknown sku"`, `"description":"a request for stock of sku-1"`),
			`got a result of "a request for stock of sku-1", which the pact does not have so often`,
		},
	} {
		w := worker.Pact{Code: tt.code}
		if tt.verdict != "" {
			w.Verdict = []byte(tt.verdict)
		}
		if got, err := join(p, w); err == nil || got != nil || err.Error() != "testdata/inventory.json: "+tt.want {
			t.Errorf("%s: got %v, %v, want %s", name, got, err, tt.want)
		}
	}
	reasonless := `{"errors":[],"interactionResults":[{"description":"a request for stock of sku-1","result":"Error"},
		{"description":"a request for stock of an unknown sku","result":"OK"}]}`
	got, err := join(p, worker.Pact{Code: 1, Verdict: []byte(reasonless)})
	if err != nil || got[0].Outcome != Broken || got[0].Message != "the verifier gave no reason" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func FuzzParsePact(f *testing.F) {
	for _, file := range []string{"testdata/inventory.json", "testdata/pending.json", "testdata/same-words.json"} {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"consumer":{"name":"a"},"provider":{"name":"b"},"Interactions":[{"type":"x"},{}],"interactions":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parsePact("f", text)
		if err == nil && (p.consumer == "" || p.provider == "") {
			t.Errorf("%q was taken for a pact", text)
		}
		for _, in := range p.interactions {
			if in.Line < 1 || in.Line > 1+strings.Count(string(text), "\n") {
				t.Errorf("%q: got line %d", text, in.Line)
			}
		}
	})
}
