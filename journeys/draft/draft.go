// Package draft writes the first journey file for a page, for somebody who has never
// written one: what is in it passes at once, and what comes next stands beside it,
// commented out. It must never write what it did not see on the page, nor anything
// that a form would send by itself.
package draft

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/foreshock/foreshock/journeys"
)

// A Draft is what is written, and where it came from.
type Draft struct {
	URL    string // that was asked for
	File   string // where it goes, as the comments name it; empty until there is a name
	Schema string // of the editor's line, relative to File; empty leaves it out
	Page   *journeys.Survey
}

// Name is what the journey is called: as its file, or the page's words, fit for a file.
func (d Draft) Name() string {
	if d.File != "" {
		return strings.TrimSuffix(filepath.Base(d.File), filepath.Ext(d.File))
	}
	u, err := url.Parse(d.URL)
	candidates := []string{d.Page.Title}
	candidates = append(candidates, d.Page.Headings...)
	if err == nil {
		candidates = append(candidates, u.Hostname())
	}
	for _, text := range candidates {
		if name := slug(text); name != "" {
			return name
		}
	}
	return "journey"
}

// slug keeps the first words of a text, in lower case.
func slug(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return strings.Join(words[:min(4, len(words))], "-")
}

// Write writes the journey.
func (d Draft) Write(w io.Writer) error {
	u, err := url.Parse(d.URL)
	if err != nil {
		return fmt.Errorf("address: %w", err)
	}
	var b strings.Builder
	if d.Schema != "" {
		fmt.Fprintf(&b, "# yaml-language-server: $schema=%s\n", d.Schema)
	}
	fmt.Fprintf(&b, `#
# A journey is what a user does on your pages, step by step, in a real browser.
# This is a first one, of what foreshock found at %s
#
#   foreshock check %s --watch              run it, and see each step
#   foreshock check %s --slow --headed      see the browser doing it
#   foreshock check %s --var base=http://127.0.0.1:8080    run it elsewhere
#
name: %s
vars:
  base: %s
steps:
  - step: open the page
    warning: 2s        # a step that takes longer is a warning,
    critical: 5s       # and this makes the journey critical
    do:
      - open: %s
`, comment(u.Redacted()), d.File, d.File, d.File, text(d.Name()), text(u.Scheme+"://"+u.Host), `"${base}`+strings.TrimPrefix(text(afterHost(u)), `"`))
	d.sights(&b)
	d.next(&b)
	_, err = io.WriteString(w, b.String())
	return err
}

func afterHost(u *url.URL) string {
	rest := url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery, Fragment: u.Fragment}
	if rest.Path == "" {
		rest.Path = "/"
	}
	return rest.String()
}

// sights is what the page showed each time.
func (d Draft) sights(b *strings.Builder) {
	p := d.Page
	if to := p.LedTo(d.URL); to != "" {
		if u, err := url.Parse(to); err == nil && u.Path != "" {
			fmt.Fprintf(b, "      - see: {url: %s}      # where the address leads\n", text(u.Path))
		}
	}
	if p.Title != "" {
		fmt.Fprintf(b, "      - see: {title: %s}      # the title has this in it\n", text(p.Title))
	}
	if len(p.Headings) > 0 {
		fmt.Fprintf(b, "      - see: %s      # anywhere on the page\n", text(p.Headings[0]))
	}
	b.WriteString("      - screenshot: start\n")
}

// next are steps to go on with.
func (d Draft) next(b *strings.Builder) {
	p := d.Page
	if len(p.Forms) == 0 && len(p.Links) == 0 {
		b.WriteString("\n  # Next: - click: {role: button, name: ...}, - type: {into: {label: ...}, text: ...}, - see: ...\n")
		return
	}
	b.WriteString("\n  # To go on, take the \"# \" away from what you want, and change it.\n")
	for i, f := range p.Forms[:min(3, len(p.Forms))] {
		d.form(b, i, f)
	}
	if len(p.Links) == 0 {
		return
	}
	// Figures in a link are often prices and counts, which change.
	links := slices.SortedStableFunc(slices.Values(p.Links), func(x, y journeys.Part) int {
		return cmp.Compare(digits(x.Name), digits(y.Name))
	})
	fmt.Fprintf(b, "\n  # - step: go on\n  #   do:\n  #     - click: %s\n", selector(links[0].Selector))
	for _, l := range links[1:] {
		fmt.Fprintf(b, "  #     # or %s\n", selector(l.Selector))
	}
	b.WriteString("  #     - see: \"what that page says\"\n")
}

// digits counts those in a text.
func digits(text string) (n int) {
	for _, r := range text {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

func (d Draft) form(b *strings.Builder, i int, f journeys.Form) {
	name := "fill in " + f.Name
	switch {
	case logsIn(f):
		name = "log in"
	case f.Submit != nil && f.Submit.Name != "":
		name = strings.ToLower(f.Submit.Name)
	case f.Name == "":
		name = "fill in form " + strconv.Itoa(i+1)
	}
	fmt.Fprintf(b, "\n  # - step: %s\n  #   do:\n", text(name))
	for _, x := range f.Fields {
		fmt.Fprintf(b, "  #     - %s\n", fill(x, logsIn(f)))
	}
	if f.Submit != nil {
		fmt.Fprintf(b, "  #     - click: %s\n", selector(f.Submit.Selector))
	}
	b.WriteString("  #     - see: \"what the page says when it has worked\"\n")
}

// logsIn says that a form asks who somebody is: for one password, and one word more at most.
func logsIn(f journeys.Form) bool {
	passwords, words := 0, 0
	for _, x := range f.Fields {
		switch x.Type {
		case "password":
			passwords++
		case "text", "email", "tel", "number":
			words++
		}
	}
	return passwords == 1 && words <= 1
}

// fill is the action that fills in a field.
func fill(f journeys.Field, login bool) string {
	to := selector(f.Selector)
	switch f.Type {
	case "checkbox", "radio":
		return "check: " + to
	case "select-one":
		return fmt.Sprintf("select: {in: %s, value: %s}", to, text(f.Option))
	case "file":
		return fmt.Sprintf("upload: {into: %s, files: [a-file-beside-this-one.png]}", to)
	}
	return fmt.Sprintf("type: {into: %s, text: %s}", to, sample(f, login))
}

// sample is something that might belong into a field. Who logs in comes from the
// environment: a file is read by more people than may log in.
func sample(f journeys.Field, login bool) string {
	byType := map[string]string{
		"email": `"ada@example.test"`, "tel": `"+49 30 901820"`,
		"url": `"https://example.test/"`, "date": `"2030-01-15"`, "time": `"12:30"`, "month": `"2030-01"`,
		"week": `"2030-W03"`, "datetime-local": `"2030-01-15T12:30"`, "color": `"#336699"`,
	}
	value := byType[f.Type]
	switch {
	case f.Type == "password":
		return `"${env:LOGIN_PASSWORD}"`
	case login:
		return `"${env:LOGIN_USER}"`
	case f.Least != "":
		return text(f.Least)
	case value != "":
		return value
	case f.Type == "number" || f.Type == "range":
		return `"1"`
	}
	return text(guess(f.Hint))
}

// guess is what a field with such names might want.
func guess(hint string) string {
	for _, g := range [][2]string{
		{"mail", "ada@example.test"},
		{"phone", "+49 30 901820"},
		{"zip", "10117"},
		{"postal", "10117"},
		{"city", "Berlin"},
		{"street", "Unter den Linden 1"},
		{"address", "Unter den Linden 1"},
		{"given", "Ada"},
		{"first", "Ada"},
		{"family", "Lovelace"},
		{"last", "Lovelace"},
		{"name", "Ada Lovelace"},
		{"search", "test"},
		{"query", "test"},
	} {
		if strings.Contains(hint, g[0]) {
			return g[1]
		}
	}
	return "sample"
}

// selector writes a selector as a journey has it.
func selector(s journeys.Selector) string {
	switch s.By {
	case "css":
		return text(s.Value)
	case "role":
		return fmt.Sprintf("{role: %s, name: %s}", s.Value, text(s.Name))
	}
	return fmt.Sprintf("{%s: %s}", s.By, text(s.Value))
}

// text writes a text so that YAML and ${} give it back as it is.
func text(s string) string { return strconv.Quote(strings.ReplaceAll(s, "$", "$$")) }

func comment(s string) string { return strings.Join(strings.Fields(s), " ") }
