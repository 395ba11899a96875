// Package holes finds where the stored bytes of a file go on behind a hole.
//
// What comes in: a descriptor of an open file and an offset. What goes out: an offset at or behind it. It never moves the position of
// a reader that reads by offset, and where the system knows no holes there are none.
package holes
