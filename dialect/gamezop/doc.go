// Package gamezop speaks the multiplayer matches of Gamezop over HTTP, of the publisher and of Gamezop.
package gamezop
