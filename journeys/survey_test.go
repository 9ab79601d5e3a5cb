package journeys

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The first selector that means one element: role and name, label, test id, text, CSS.
func TestSurvey(t *testing.T) {
	p := warm(t)
	t.Parallel()
	mux := http.NewServeMux()
	visits := 0
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		visits++
		fmt.Fprintf(w, `<!doctype html><title>Visit</title><h1 style="text-transform:uppercase">Welcome</h1><h2>You are number %d</h2>
<form name=order><input name=id type=hidden><label>Mail <input name=mail type=email required></label>
<label for=pw>Password</label><input id=pw type=password>
<input data-testid=code><input name=plain><input id=q1><input disabled><input readonly>
<label><input type=radio name=r value=1>One</label><label><input type=radio name=r value=2>Two</label>
<select aria-label=Size><option value="">choose<option value=s selected>Small<option value=l>Large</select>
<button>Send</button></form>
<button>Send</button><a href=/a>More</a><a href=/b>More</a><a href="http://elsewhere.test/">Away</a><p style="display:none"><input>`, visits)
	})
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/login?next=%2Fto", http.StatusFound)
	})
	mux.HandleFunc("/data", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, "{}")
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	got, err := p.Survey(t.Context(), s.URL+"/", 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, f := range got.Forms[0].Fields {
		parts = append(parts, f.Type+" "+f.Selector.String()+" "+f.Option)
	}
	for _, l := range got.Links {
		parts = append(parts, "link "+l.Selector.String())
	}
	parts = append(parts, "submit "+got.Forms[0].Submit.Selector.String(), got.Forms[0].Name)
	want := `email textbox "Mail" |password label "Password" |text testid "code" |text input[name="plain"] |text #q1 |` +
		`radio radio "One" |select-one combobox "Size" Large|link a:nth-of-type(1)|link a:nth-of-type(2)|` +
		`submit form > button|order`
	if text := strings.Join(parts, "|"); text != want || !got.Login {
		t.Errorf("got  %s\nwant %s, and a login", text, want)
	}
	if strings.Join(got.Headings, ",") != "WELCOME,You are number 1" {
		t.Errorf("got headings %q, want them as they are shown", got.Headings)
	}
	again, err := p.Survey(t.Context(), s.URL+"/to", 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if to := again.LedTo(s.URL + "/to"); to != s.URL+"/login?..." {
		t.Errorf("led to %q, want the login without its query", to)
	}
	if to := got.LedTo(s.URL); to != "" {
		t.Errorf("led to %q, want nowhere else", to)
	}
	if got.Agree(again); len(got.Headings) != 1 || got.Title != "Visit" {
		t.Errorf("got %q, %q, want what both have seen", got.Title, got.Headings)
	}
	if got.Agree(&Survey{Title: "Another"}); got.Title != "" || len(got.Headings) != 0 {
		t.Errorf("got %q, %q, want nothing that only one has seen", got.Title, got.Headings)
	}
	data, err := p.Survey(t.Context(), s.URL+"/data", 20*time.Second)
	if err != nil || data.IsPage() == nil || got.IsPage() != nil {
		t.Errorf("JSON: got %v, want it to be no page", err)
	}
	s.Close()
	if _, err := p.Survey(t.Context(), s.URL+"/", 20*time.Second); err == nil || !strings.Contains(err.Error(), "CONNECTION_REFUSED") {
		t.Errorf("got %v, want refused", err)
	}
}
