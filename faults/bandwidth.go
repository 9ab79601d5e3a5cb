package faults

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/nfqueue"
)

func bandwidthKind() kind.Kind[Fault] {
	type settings struct {
		Selector
		Rate  string `yaml:"rate"`
		Burst string `yaml:"burst"`
		Queue string `yaml:"queue"`
	}
	return kind.Of("bandwidth", "the way to the target takes only so many bytes a second: more wait in line, and what finds the line full is dropped", `
to: 127.0.0.1:9002
rate: 1Mbit/s
`, settings{Selector: selectTCP()}, func(s settings) (Fault, error) {
		target, err := s.target()
		switch {
		case err != nil:
			return nil, err
		case s.Rate == "":
			return nil, kind.At("rate", errors.New("got nothing, want bytes or bits a second, such as 100kB/s or 1Mbit/s"))
		}
		var b nfqueue.Bandwidth
		for _, one := range []struct {
			key, text string
			into      *int
		}{{"rate", strings.TrimSuffix(s.Rate, "/s"), &b.Rate}, {"burst", s.Burst, &b.Burst}, {"queue", s.Queue, &b.Queue}} {
			if *one.into, err = parseBytes(one.text); err != nil {
				return nil, kind.At(one.key, err)
			}
		}
		return newQueued("bandwidth", target, func() nfqueue.Stage {
			one := b
			return &one
		})
	})
}

// maxBytes is beyond any link, and far from what overflows.
const maxBytes = 1e12

// parseBytes reads 1500, 64kB or 10Mbit; nothing is 0.
func parseBytes(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	digits := strings.TrimRight(text, "BkMGbit")
	unit, known := map[string]float64{
		"": 1, "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9,
		"bit": 1. / 8, "kbit": 1e3 / 8, "Mbit": 1e6 / 8, "Gbit": 1e9 / 8,
	}[strings.TrimPrefix(text, digits)]
	n, err := strconv.ParseFloat(digits, 64)
	if !known || err != nil || !(n >= 0) || n*unit > maxBytes {
		return 0, fmt.Errorf("got %q, want bytes such as 1500, 64kB or 10MB, or bits such as 10Mbit", text)
	}
	return int(math.Ceil(n * unit)), nil
}
