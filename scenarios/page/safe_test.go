package page_test

import (
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/scenarios"
)

// Nothing is loaded from elsewhere, and nothing needs a script.
func TestSelfContained(t *testing.T) {
	t.Parallel()
	for _, r := range []*scenarios.Report{sample(t, "pass"), sample(t, "fail"), unsure(t), stormy(t)} {
		text := draw(t, r)
		for n := range parse(t, text).Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			if slices.Contains([]string{"script", "img", "iframe", "object", "embed", "base", "form"}, n.Data) {
				t.Errorf("the page has a %s", n.Data)
			}
			for _, a := range n.Attr {
				switch {
				case a.Key == "href" && !strings.HasPrefix(a.Val, "#") && a.Val != "data:,", a.Key == "src", strings.HasPrefix(a.Key, "on"):
					t.Errorf("%s has %s=%q", n.Data, a.Key, a.Val)
				}
			}
		}
		style := text[strings.Index(text, "<style>"):strings.Index(text, "</style>")]
		if m := regexp.MustCompile(`url\([^#)][^)]*\)|@import|https?:`).FindString(style); m != "" {
			t.Errorf("the style sheet has %s", m)
		}
	}
}

// Every drawing is XML by itself, so that it can be taken out of the page.
func TestDrawingsAreXML(t *testing.T) {
	t.Parallel()
	evil := sample(t, "pass")
	spoil(reflect.ValueOf(evil))
	for _, r := range []*scenarios.Report{sample(t, "pass"), unsure(t), stormy(t), evil} {
		all := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(draw(t, r), -1)
		if len(all) < 10 {
			t.Errorf("got %d drawings", len(all))
		}
		for _, svg := range all {
			for d := xml.NewDecoder(strings.NewReader(svg)); ; {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("%v in %.300s", err, svg)
				}
			}
		}
	}
}

const hostile = `"'><script>window.hacked=1</script></title></style><img src=x onerror="window.hacked=1">&{{.}}` + "\x00\x1b[2J\xff"

// spoil puts hostile text into every text of v.
func spoil(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			spoil(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Type().Field(i).Name != "Type" && v.Type().Field(i).Name != "Started" {
				spoil(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			spoil(v.Index(i))
		}
	case reflect.String:
		v.SetString(hostile)
	default:
	}
}

// Text of a checked service never becomes more than text, wherever it gets.
func TestHostile(t *testing.T) {
	t.Parallel()
	r := sample(t, "pass")
	r.Checks[0].Status = results.Critical
	r.Timeline = append(r.Timeline, scenarios.Entry{AtMS: 5, Type: "reported", Error: "e"}, scenarios.Entry{AtMS: 5, Type: "reported", To: "e"})
	spoil(reflect.ValueOf(r))
	root := parse(t, draw(t, r))
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "img") {
			t.Errorf("text became a %s", n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") {
				t.Errorf("text became the attribute %s", a.Key)
			}
		}
	}
	if !strings.Contains(words(root), `<script>window.hacked=1</script>`) {
		t.Error("the text is not shown")
	}
}
