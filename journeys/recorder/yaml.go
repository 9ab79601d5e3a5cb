package recorder

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
)

// lineLimit is how long a line may become before a value gets several.
const lineLimit = 100

// YAML writes the journey as a file.
func (r Recording) YAML() []byte {
	var b bytes.Buffer
	writeFields(&b, r.Journey.Fields, 0)
	return b.Bytes()
}

func writeFields(b *bytes.Buffer, fields []kind.Field, indent int) {
	for i, f := range fields {
		if i > 0 {
			b.WriteString(strings.Repeat(" ", indent))
		}
		b.WriteString(scalar(f.Key) + ":")
		write(b, f.Value, indent, f.Key.Text == "do")
	}
}

// write puts a value behind its key: on the same line if it fits there, unless it is
// always to have lines of its own.
func write(b *bytes.Buffer, n kind.Node, indent int, always bool) {
	line := flowing(n)
	block := n.Shape == kind.List && len(n.Items) > 0 || n.Shape == kind.Mapping && len(n.Fields) > 0
	if !block || !always && indent > 2 && len(line)+indent < lineLimit {
		b.WriteString(" " + line + "\n")
		return
	}
	b.WriteString("\n")
	if n.Shape == kind.Mapping {
		b.WriteString(strings.Repeat(" ", indent+2))
		writeFields(b, n.Fields, indent+2)
		return
	}
	for _, item := range n.Items {
		b.WriteString(strings.Repeat(" ", indent+2) + "-")
		line := flowing(item)
		if item.Shape != kind.Mapping || len(item.Fields) == 0 || indent > 2 && len(line)+indent < lineLimit && len(item.Fields) > 1 {
			b.WriteString(" " + line + "\n")
			continue
		}
		b.WriteString(" ")
		writeFields(b, item.Fields, indent+4)
	}
}

// flowing is a value on one line.
func flowing(n kind.Node) string {
	switch n.Shape {
	case kind.List:
		parts := make([]string, len(n.Items))
		for i, item := range n.Items {
			parts[i] = flowing(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case kind.Mapping:
		parts := make([]string, len(n.Fields))
		for i, f := range n.Fields {
			parts[i] = scalar(f.Key) + ": " + flowing(f.Value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case kind.Scalar:
		return scalar(n)
	case kind.Null:
	}
	return "null"
}

// scalar writes a text so that it is read as it is.
func scalar(n kind.Node) string {
	words := regexp.MustCompile(`^[A-Za-z_]+( [A-Za-z_]+)*$`)
	reserved := regexp.MustCompile(`(?i)^(true|false|yes|no|on|off|null|y|n|nan|inf)$`)
	if n.Plain || words.MatchString(n.Text) && !reserved.MatchString(n.Text) {
		return n.Text
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range n.Text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
