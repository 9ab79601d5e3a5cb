package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"time"
)

//go:embed assets
var assetFiles embed.FS

// asset is one file of the page, under an ETag of its content.
type asset struct {
	mediaType string
	etag      string
	data      []byte
}

func loadAssets() map[string]asset {
	types := map[string]string{
		".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
		".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	}
	found := map[string]asset{}
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		panic(err) // embedded: it is there, or the program was not built
	}
	for _, e := range entries {
		data, err := assetFiles.ReadFile("assets/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(data)
		found[e.Name()] = asset{types[path.Ext(e.Name())], `"` + hex.EncodeToString(sum[:8]) + `"`, data}
	}
	return found
}

func (s *server) page(w http.ResponseWriter, r *http.Request) { s.serveAsset(w, r, "page.html") }

func (s *server) asset(w http.ResponseWriter, r *http.Request) {
	s.serveAsset(w, r, r.PathValue("name"))
}

func (s *server) serveAsset(w http.ResponseWriter, r *http.Request, name string) {
	a, ok := s.assets[name]
	if !ok {
		s.fail(w, r, http.StatusNotFound, "no such file", nil)
		return
	}
	w.Header().Set("Content-Type", a.mediaType)
	w.Header().Set("ETag", a.etag)
	w.Header().Set("Cache-Control", "no-cache") // may be kept, must be asked for: a new binary shows at once
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(a.data))
}
