// Package biopsy holds the words that every room of the house speaks.
//
// What comes in: nothing. What goes out: plain types with their JSON form, which is the scan file (doc/scanfile.md).
// It will never read a file, ask the clock or reach the network; it imports the standard library only.
//
// The walk, told in these words:
//
//	ref -source-> Artifact -unpack-> File* -identify-> Evidence* -reconcile-> Inventory
//	    -enrich-> Inventory -match-> Finding* -judge-> Verdict*     all in one Scan -report-> bytes
package biopsy
