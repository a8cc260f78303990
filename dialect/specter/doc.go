// Package specter speaks the match sessions of Specter over HTTP.
package specter
