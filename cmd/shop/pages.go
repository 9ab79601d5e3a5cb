package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
)

//go:embed pages
var pageFiles embed.FS

// A view is what a page shows; each page uses a part of it.
type view struct {
	Title   string
	Style   template.CSS
	Basket  basket
	Resting bool // the catalog gave no answer; what is shown of it is from memory

	Products []product
	Product  product
	Order    order

	Name, Email           string
	NameError, EmailError string
	Message               string

	OrderID string
	Paid    bool
}

// Items is how many things are in the basket.
func (v view) Items() (n int) {
	for _, count := range v.Basket {
		n += count
	}
	return n
}

// Quantities are what may be chosen of the product.
func (v view) Quantities() []int {
	all := make([]int, min(v.Product.Stock, mostOfOne))
	for i := range all {
		all[i] = i + 1
	}
	return all
}

// pages are the templates of the storefront, by name.
type pages struct {
	style  template.CSS
	byName map[string]*template.Template
}

func newPages() (*pages, error) {
	style, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	layout := template.New("layout.html").Funcs(template.FuncMap{"money": money, "tint": tint, "shape": shape})
	if layout, err = layout.ParseFS(pageFiles, "pages/layout.html", "pages/picture.html"); err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	p := &pages{template.CSS(style), map[string]*template.Template{}} //nolint:gosec // our own file
	for _, name := range []string{"home", "product", "basket", "checkout", "order", "message"} {
		page, err := layout.Clone()
		if err == nil {
			page, err = page.ParseFS(pageFiles, "pages/"+name+".html")
		}
		if err != nil {
			return nil, fmt.Errorf("pages: %s: %w", name, err)
		}
		p.byName[name] = page
	}
	return p, nil
}

// show writes a whole page or, if it cannot be made, a plain error.
func (p *pages) show(w http.ResponseWriter, status int, name string, v view) {
	v.Style = p.style
	var page bytes.Buffer
	if err := p.byName[name].ExecuteTemplate(&page, "layout.html", v); err != nil {
		http.Error(w, "page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store") // a page from a cache would hide what a fault does
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // a reader that went away is no concern of ours
}

func (p *pages) missing(w http.ResponseWriter) {
	p.show(w, http.StatusNotFound, "message", view{Title: "Not found", Message: "There is no such page, or we no longer sell it."})
}

func (p *pages) wrong(w http.ResponseWriter, message string) {
	p.show(w, http.StatusBadRequest, "message", view{Title: "That did not work", Message: message})
}

// money writes an amount of cents.
func money(cents int) string { return fmt.Sprintf("€%d.%02d", cents/100, cents%100) }

// tint is the colour in which a product is drawn: the one its id names.
func tint(id string) string {
	colours := map[string]string{
		"blue": "#2f6f9f", "amber": "#d98e1f", "red": "#b8433b", "slate": "#56646e", "green": "#4c7f5a", "gold": "#b8963c",
	}
	for word := range strings.SplitSeq(id, "-") {
		if c, ok := colours[word]; ok {
			return c
		}
	}
	return "#6d6257"
}

// shape is the figure in which a product is drawn: the one its id begins with.
func shape(id string) string {
	first, _, _ := strings.Cut(id, "-")
	if slices.Contains([]string{"mug", "teapot", "coasters"}, first) {
		return first
	}
	return "box"
}
