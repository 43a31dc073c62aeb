package text

import "regexp"

// link is an address in a text. It is ASCII: in Chinese the sentence goes on
// behind one without a space. Punctuation at the end belongs to the sentence.
var link = regexp.MustCompile(`https?://[!#-;=?-~]*[\w#$%&*+/=~-]`)

// Links finds the addresses in s, each as the place where it begins and the one
// behind its end.
func Links(s string) [][]int { return link.FindAllStringIndex(s, -1) }
