// Package gamesparks speaks the WebSocket protocol of the SDKs of GameSparks.
package gamesparks
