package journeys

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238 has it, and nearly every service wants it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type oneTimePassword struct {
	Into      Selector      `yaml:"into"`
	Secret    string        `yaml:"secret"` // base32, as services give it
	Digits    int           `yaml:"digits"`
	Period    time.Duration `yaml:"period"`
	Algorithm string        `yaml:"algorithm"` // sha1, sha256 or sha512

	key []byte
}

func oneTimePasswordKind() kind.Kind[Action] {
	return kind.Of("one_time_password", "types the one-time password of this moment (TOTP, RFC 6238) into a field",
		"into: {label: Code}\nsecret: JBSWY3DPEHPK3PXP\n",
		oneTimePassword{Digits: 6, Period: 30 * time.Second, Algorithm: "sha1"},
		func(s oneTimePassword) (Action, error) {
			switch {
			case s.Digits < 6 || s.Digits > 8:
				return nil, kind.At("digits", fmt.Errorf("got %d, want 6 to 8", s.Digits))
			case s.Period < time.Second:
				return nil, kind.At("period", fmt.Errorf("got %v, want at least 1s", s.Period))
			case s.hash() == nil:
				return nil, kind.At("algorithm", errors.New(kind.UnknownWord("algorithm", s.Algorithm, []string{"sha1", "sha256", "sha512"})))
			}
			text := strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "=", "").Replace(s.Secret))
			var err error
			s.key, err = base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
			if err != nil || len(s.key) == 0 { // the error would show where in the secret
				return nil, kind.At("secret", errors.New("got no base32, want the secret as the service gives it, such as ${file:otp-secret}"))
			}
			return s, s.Into.required("into")
		})
}

func (a oneTimePassword) hash() func() hash.Hash {
	switch a.Algorithm {
	case "sha1":
		return sha1.New
	case "sha256":
		return sha256.New
	case "sha512":
		return sha512.New
	}
	return nil
}

// String implements [Action].
func (a oneTimePassword) String() string { return "one-time password into " + a.Into.String() }

// Do implements [Action]. In the last second of a password's time it waits for the
// next one: it could be too old when the service sees it.
func (a oneTimePassword) Do(ctx context.Context, p *Page, span *results.Span) error {
	if left := a.Period - time.Duration(time.Now().UnixNano())%a.Period; left < time.Second {
		if err := sleep(ctx, left); err != nil {
			return err
		}
	}
	code := a.at(time.Now())
	p.own.Add(code)
	return typing{Into: a.Into, Text: code}.Do(ctx, p, span)
}

// at is the password at a time.
func (a oneTimePassword) at(t time.Time) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(t.Unix())/uint64(a.Period/time.Second)) //nolint:gosec // after 1970
	mac := hmac.New(a.hash(), a.key)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	from := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[from:]) & 0x7fffffff
	modulus := uint32(1)
	for range a.Digits {
		modulus *= 10
	}
	return fmt.Sprintf("%0*d", a.Digits, n%modulus)
}
