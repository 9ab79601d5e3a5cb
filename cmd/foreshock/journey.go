package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/journeys"
	"github.com/foreshock/foreshock/journeys/draft"
)

const (
	surveyLimit = 30 * time.Second // for a page to load and come to rest
	schemaFile  = "journey.schema.json"
)

func runJourney(ctx context.Context, p *program, args []string) int {
	return p.pick(ctx, "journey command", []command{{"new", "", journeyNew}}, args)
}

func journeyNew(ctx context.Context, p *program, args []string) int {
	f := p.newFlags("journey new", "URL [-o FILE] [--force]")
	f.note = "Looks at a page and writes a first journey file for it: one that passes at once, with its forms\n" +
		"and links as next steps. Beside it comes " + schemaFile + ", by which editors complete it."
	path := f.String("o", "", "`FILE` to write (default named after the page's title; - is standard output)")
	force := f.Bool("force", false, "overwrite a file that is there")
	words, err := f.parse(args)
	switch {
	case err != nil:
		return p.refused(err)
	case len(words) != 1:
		return p.wrong(fmt.Errorf("got %d addresses, want one, such as https://shop.example/", len(words)))
	}
	u, err := url.Parse(words[0])
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		like := "shop.example/"
		if !strings.Contains(words[0], "//") {
			like = words[0]
		}
		return p.wrong(fmt.Errorf("got %q, want an address with http:// or https://, such as https://%s", words[0], like))
	}
	if err := mayWrite(*path, *force); err != nil { // before the wait
		return p.wrong(err)
	}
	p.log = warnings(p.stderr)
	page, err := p.survey(ctx, words[0])
	if err != nil {
		return p.unsure(err)
	}
	if err := page.IsPage(); err != nil {
		return p.wrong(err)
	}
	d := draft.Draft{URL: words[0], Schema: schemaFile, Page: page}
	if *path == "-" {
		d.File, d.Schema = d.Name()+".yaml", ""
		if err := d.Write(p.stdout); err != nil {
			return p.unsure(err)
		}
		return exitYes
	}
	if d.File = *path; d.File == "" {
		d.File = d.Name() + ".yaml"
		if err := mayWrite(d.File, *force); err != nil {
			return p.wrong(err)
		}
	}
	if err := p.writeDraft(d); err != nil {
		return p.unsure(err)
	}
	p.sayNext(d)
	return exitYes
}

// survey looks twice, so that nothing is held to what changes by itself.
func (p *program) survey(ctx context.Context, address string) (page *journeys.Survey, err error) {
	a := p.bare(false)
	defer func() { err = errors.Join(err, a.close(ctx)) }()
	if page, err = a.pages().Survey(ctx, address, surveyLimit); err != nil {
		return nil, err
	}
	again, err := a.pages().Survey(ctx, address, surveyLimit)
	if err != nil {
		return nil, fmt.Errorf("the second time: %w", err)
	}
	page.Agree(again)
	return page, nil
}

// mayWrite refuses a file that is there.
func mayWrite(path string, force bool) error {
	if path == "" || path == "-" || force {
		return nil
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already; -o FILE names another, --force overwrites it", path)
	}
	return nil
}

// writeDraft writes the journey and, where there is none, the schema beside it. What it
// has written can be read, or it says so.
func (p *program) writeDraft(d draft.Draft) error {
	var b bytes.Buffer
	if err := d.Write(&b); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(d.File), 0o750); err != nil {
		return err
	}
	if err := os.WriteFile(d.File, b.Bytes(), 0o644); err != nil { //nolint:gosec // a source file that others read, too
		return err
	}
	if _, err := journeys.Load(d.File, &kind.Vars{Env: p.env, Secrets: &kind.Secrets{}}, nil); err != nil {
		return fmt.Errorf("what was written cannot be read, which is a fault of ours: %w", err)
	}
	beside := filepath.Join(filepath.Dir(d.File), schemaFile)
	if _, err := os.Stat(beside); err == nil {
		return nil
	}
	b.Reset()
	if err := p.writeSchema(&b, "journey"); err != nil {
		return err
	}
	return os.WriteFile(beside, b.Bytes(), 0o644) //nolint:gosec // as above
}

func (p *program) sayNext(d draft.Draft) {
	if to := d.Page.LedTo(d.URL); to != "" {
		what := "another page"
		if d.Page.Login {
			what = "a login"
		}
		fmt.Fprintf(p.stdout, "The address leads to %s, %s: the journey begins there.\n", what, to)
	}
	fields := 0
	for _, f := range d.Page.Forms {
		fields += len(f.Fields)
	}
	fmt.Fprintf(p.stdout, "%s: a journey that opens %s\n", p.paint(bold, d.File), p.paint(bold, fmt.Sprintf("%q", printable(d.Page.Title))))
	fmt.Fprintf(p.stdout, "found besides: %s, %s, %s (commented out, to go on with)\n\nnext:\n",
		count(len(d.Page.Forms), "form"), count(fields, "field"), count(len(d.Page.Links), "link"))
	fmt.Fprintf(p.stdout, "  foreshock check %s --watch\n", d.File)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
