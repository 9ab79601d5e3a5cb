package draft_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/proof"
	"github.com/foreshock/foreshock/journeys"
	"github.com/foreshock/foreshock/journeys/draft"
)

func role(role, name string) journeys.Selector {
	return journeys.Selector{By: "role", Value: role, Name: name}
}

func by(way, value string) journeys.Selector { return journeys.Selector{By: way, Value: value} }

// page has one of everything.
func page() *journeys.Survey {
	return &journeys.Survey{
		Address: "https://shop.example/login?next=1", Type: "text/html",
		Title: `Tea & "more": ${5} 100% – Ünï` + "\u2028", Headings: []string{"Order: tea", "Two"}, Login: true,
		Forms: []journeys.Form{
			{Fields: []journeys.Field{
				{Selector: role("textbox", "User"), Type: "text", Hint: "user"},
				{Selector: by("label", "Password"), Type: "password"},
			}, Submit: &journeys.Part{Selector: role("button", "Log in"), Name: "Log in"}},
			{Name: "order", Fields: []journeys.Field{
				{Selector: by("testid", "mail"), Type: "text", Hint: "e-mail"},
				{Selector: by("css", `input[name="a\"b"]`), Type: "number", Least: "3"},
				{Selector: role("combobox", "Size"), Type: "select-one", Option: "Large # one"},
				{Selector: role("checkbox", "I agree"), Type: "checkbox"},
				{Selector: by("css", "#photo"), Type: "file"},
				{Selector: by("css", "#new"), Type: "password"},
				{Selector: by("css", "#again"), Type: "password"},
				{Selector: by("css", "#day"), Type: "date"},
				{Selector: by("css", "#what"), Type: "textarea"},
			}, Submit: &journeys.Part{Selector: by("text", "Buy: now"), Name: "Buy: now"}},
			{Fields: []journeys.Field{{Selector: by("css", "#q"), Type: "search", Hint: "search"}}},
		},
		Links: []journeys.Part{
			{Selector: role("link", "Basket 0"), Name: "Basket 0"}, {Selector: role("link", "Imprint"), Name: "Imprint"},
		},
	}
}

// What is written is good at once, and so is what it proposes.
func TestWrite(t *testing.T) {
	t.Parallel()
	d := draft.Draft{URL: "https://shop.example/start?q=a%20b&c=$d#top", File: "journeys/shop.yaml", Schema: "journey.schema.json", Page: page()}
	var b strings.Builder
	if err := d.Write(&b); err != nil {
		t.Fatal(err)
	}
	proof.Golden(t, "testdata/first.yaml", b.String())
	all := regexp.MustCompile(`(?m)^  # ( *- |  do:)`).ReplaceAllString(b.String(), "  $1")
	if !strings.Contains(all, "\n  - step: go on\n") {
		t.Errorf("got\n%s\nwant the signs taken away", all)
	}
	for name, text := range map[string]string{"as written": b.String(), "all of it": all} {
		path := filepath.Join(t.TempDir(), "shop.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		env := func(string) (string, bool) { return "from the environment", true }
		if _, err := journeys.Load(path, &kind.Vars{Env: env, Secrets: &kind.Secrets{}}, nil); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]draft.Draft{
		"shop":              {File: "x/shop.yaml", Page: page()},
		"a-b-c-d":           {Page: &journeys.Survey{Title: "  A & b: c/d e"}},
		"order-tea":         {Page: &journeys.Survey{Title: "茶", Headings: []string{"Order: tea"}}},
		"shop-example":      {URL: "https://shop.example/", Page: &journeys.Survey{}},
		"journey":           {Page: &journeys.Survey{}},
		"127-0-0-1":         {URL: "http://127.0.0.1:1/", Page: &journeys.Survey{Headings: []string{"…"}}},
		"nothing-but-words": {Page: &journeys.Survey{Title: "../../nothing but words"}},
	} {
		if got := d.Name(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
