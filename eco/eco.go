// Package eco holds the facts of each ecosystem: purl type, name rules, version order.
//
// What comes in: names and versions as written. What goes out: canonical purls, OSV ecosystem names, comparisons. It will never
// read a file or guess across ecosystems. One file per ecosystem.
package eco
