package journeys

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

const masked = "***"

// A redactor keeps out of evidence what must not be in it: every secret that is known,
// and what its name gives away as one.
type redactor struct {
	mask func(string) string
	pair *regexp.Regexp // one name and value of a query, in any text
}

func (p *Page) redactor() redactor {
	return redactor{p.mask, regexp.MustCompile(`([?&;]|&amp;)([A-Za-z0-9_.\-\[\]%]+)=([^&\s"'<>#;)\\]+)`)}
}

// sensitiveWords are what the name of a secret has in it; the list is Elastic's for
// synthetics, and what OAuth and frameworks add.
func sensitiveWords() []string {
	return []string{
		"password", "passwd", "passphrase", "pwd", "secret", "token", "session", "auth", "credential",
		"signature", "cookie", "csrf", "xsrf", "jwt", "saml",
	}
}

// sensitiveNames are such names as a whole; one that ends with key is another.
func sensitiveNames() []string { return []string{"pass", "code", "sid", "sig", "pin", "otp", "nonce"} }

// sensitive reports whether a header, a parameter or a field of this name holds a secret.
func sensitive(name string) bool {
	name = strings.ToLower(name)
	has := func(word string) bool { return strings.Contains(name, word) }
	return strings.HasSuffix(name, "key") || slices.Contains(sensitiveNames(), name) || slices.ContainsFunc(sensitiveWords(), has)
}

// text masks a text in which addresses may occur.
func (r redactor) text(s string) string {
	return r.mask(r.pair.ReplaceAllStringFunc(s, func(match string) string {
		m := r.pair.FindStringSubmatch(match)
		if !sensitive(unescaped(m[2])) {
			return match
		}
		return m[1] + m[2] + "=" + masked
	}))
}

// url masks an address, of which everything else stays: who looks for a failed request
// needs its query. What follows # is not sent and is left out.
func (r redactor) url(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an unreadable address"
	}
	u.Fragment, u.RawFragment = "", ""
	return r.text(u.Redacted())
}

// header masks the value of a header; of cookies the names stay.
func (r redactor) header(name, value string) string {
	switch strings.ToLower(strings.TrimPrefix(name, ":")) {
	case "cookie":
		return r.mask(cookieNames(value, false))
	case "set-cookie":
		return r.mask(cookieNames(value, true))
	case "location", "content-location", "referer", "origin", "path":
		return r.url(value)
	}
	if sensitive(name) {
		return masked
	}
	return r.text(value)
}

// cookieNames masks the values of cookies; of a Set-Cookie only the first pair is one.
func cookieNames(value string, set bool) string {
	parts := strings.Split(value, ";")
	for i, part := range parts {
		if name, _, found := strings.Cut(part, "="); found && (i == 0 || !set) {
			parts[i] = name + "=" + masked
		} else if !found && (i == 0 || !set) {
			parts[i] = masked
		}
	}
	return strings.Join(parts, ";")
}
