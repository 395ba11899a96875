// Command biopsy finds what a connected medical device ships, what is wrong with it, and writes the documents.
package main

import "os"

func main() { os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
