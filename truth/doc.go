// Package truth holds labelled artifacts and the scoreboard: what biopsy should say of them, and how often it does.
//
// trees/*.txtar are small trees in real formats; their section "truth" says, a line each, which reader should name which component
// (purl, or name@version where no purl can name it). corpora_test.go measures on large trees that are built elsewhere.
package truth
