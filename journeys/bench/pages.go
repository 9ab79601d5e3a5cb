package main

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

const form = `<!doctype html><title>Log in</title><link rel=stylesheet href=/style.css>
<h1>Shop</h1><form action=/login method=post>
<label>User <input id=user name=user></label><label>Password <input id=password name=password type=password></label>
<button id=go>Log in</button></form><script src=/app.js></script>`

// serve answers with a form, as small as a login page is, and with what follows it.
func serve() (base string, end func(), err error) {
	mux := http.NewServeMux()
	page := func(w http.ResponseWriter, text string) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, text)
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { page(w, form) })
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		_, _ = fmt.Fprint(w, "body{font:16px sans-serif;margin:3em}label{display:block;margin:1em}")
	})
	mux.HandleFunc("GET /app.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = fmt.Fprint(w, "document.querySelector('#user').addEventListener('input', e => document.title = e.target.value)")
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("user") != "ada@example.test" || r.FormValue("password") != "correct horse" {
			http.Error(w, "wrong", http.StatusForbidden)
			return
		}
		page(w, "<!doctype html><title>Welcome</title><link rel=stylesheet href=/style.css><h1 id=welcome>Welcome, ada@example.test</h1>")
	})
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // ended by end
	if err != nil {
		return "", nil, err
	}
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.Serve(l) }()
	return "http://" + l.Addr().String(), func() { _ = s.Close() }, nil
}
