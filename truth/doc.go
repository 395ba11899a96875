// Package truth holds labelled artifacts and the scoreboard: what biopsy should say of them, and how often it does.
//
// trees/*.txtar are small trees in real formats. Beside the tree's own files a case has these sections:
//
//	truth   "reader component [scope=S] [licence=L]": what is right to name, by the rules of the ecosystem, and who should name it;
//	        a component is its purl, or name@version where no purl can name it. What is named beyond that is wrong.
//	edges   "component -> component": the needs that the bytes state; without the section edges are not scored
//	gaps    paths that cannot be read, and must be said so; without the section there must be none
//	build   "how target source": makes archives, images, programs and odd encodings of other sections, one after another
//	target  the file of the built tree to scan; without the section all of it is scanned
//
// Labels are made from the input and never from what biopsy says. floor.txt holds what is reached; it may not fall. The same trees
// are scanned by one and by four workers, and damaged. corpora_test.go measures on large trees that are built elsewhere.
package truth
