package sakuli

// A word is a function that a suite may call.
type word struct {
	name string
	do   func(*machine, args) any
	now  bool // it gives its value even in a suite of version 2
}

// words lists every function of Sakuli beside the accessors.
func words() []word {
	list := []word{
		// elements without a kind
		{"_byId", byID, true},
		{"_byText", byText, true},
		{"_byClassName", byClassName, true},
		{"_byXPath", byXPath, true},
		{"_activeElement", activeElement, true},
		{"_xy", xy, true},
		// relations
		{"_in", relate("in"), true},
		{"_near", relate("near"), true},
		{"_under", relate("under"), true},
		{"_above", relate("above"), true},
		{"_underOrAbove", relate("underOrAbove"), true},
		{"_leftOf", relate("leftOf"), true},
		{"_rightOf", relate("rightOf"), true},
		{"_leftOrRightOf", relate("leftOrRightOf"), true},
		{"_parentNode", parentNode, true},
		{"_parentCell", parent("_parentCell", "td"), true},
		{"_parentRow", parent("_parentRow", "tr"), true},
		{"_parentTable", parent("_parentTable", "table"), true},
	}
	for _, more := range [][]word{pageWords(), mouseWords(), keyWords(), fetchWords(), assertWords(), otherWords()} {
		list = append(list, more...)
	}
	return list
}
