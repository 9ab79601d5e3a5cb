package kind

import "maps"

// Schema is the schema of what [Table.Build] reads: a mapping with one kind.
func (t Table[T]) Schema(g *Schemas) *Schema {
	return &Schema{
		Type: Types{"object"}, Properties: t.properties(g), Additional: false, MinFields: 1, MaxFields: 1,
	}
}

func (t Table[T]) properties(g *Schemas) map[string]*Schema {
	out := make(map[string]*Schema, len(t))
	for _, k := range t {
		s := described(k.schema(g), k.Summary)
		if docs, err := Parse(k.Name, []byte(k.Example)); err == nil && len(docs) == 1 {
			s.Examples = []any{docs[0].Value()}
		}
		out[k.Name] = s
	}
	return out
}

// SplitSchema is the schema of what [Split] reads: the keys of common, and one kind.
func (t Table[T]) SplitSchema(g *Schemas, common any) *Schema {
	s := g.Fields(common, nil)
	maps.Copy(s.Properties, t.properties(g))
	for _, k := range t {
		s.OneOf = append(s.OneOf, &Schema{Required: []string{k.Name}})
	}
	return s
}
