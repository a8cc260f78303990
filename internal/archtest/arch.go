// Package archtest holds the tree to its design: who may import whom, which modules of others come along, and
// what the pure files may not touch. It has tests only.
package archtest
