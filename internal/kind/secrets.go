package kind

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Secrets are texts that no output may show. It may be used from several goroutines;
// a nil Secrets masks nothing.
type Secrets struct {
	mu    sync.RWMutex
	texts []string
}

// Add makes a text a secret, also as Go and JSON quote it, as a URL carries it and as a
// browser writes it into HTML. One of fewer than 4 bytes is not masked: it would blot out
// ordinary words.
func (s *Secrets) Add(text string) {
	if s == nil || len(text) < 4 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	quoted := strconv.Quote(text)
	inText := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	for _, form := range []string{
		text, quoted[1 : len(quoted)-1], url.QueryEscape(text), url.PathEscape(text),
		inText, strings.ReplaceAll(inText, `"`, "&quot;"), // the latter is an attribute's
	} {
		if !slices.Contains(s.texts, form) {
			s.texts = append(s.texts, form)
		}
	}
	slices.SortFunc(s.texts, func(a, b string) int { return len(b) - len(a) }) // the longest first
}

// Mask replaces every secret in text by ***.
func (s *Secrets) Mask(text string) string {
	if s == nil {
		return text
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, t := range s.texts {
		text = strings.ReplaceAll(text, t, "***")
	}
	return text
}

// Within lists the secrets that text has in it, the longest first.
func (s *Secrets) Within(text string) []string {
	if s == nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []string
	for _, t := range s.texts {
		if strings.Contains(text, t) {
			found = append(found, t)
		}
	}
	return found
}
