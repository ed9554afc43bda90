package itest

import "time"

// An Act is one thing that a scripted client or a scripted origin does. The constructors below say which side may use it.
type Act struct {
	kind  actKind
	text  string
	count int
	pause time.Duration
	until <-chan struct{}
	call  func()
}

type actKind uint8

const (
	actSend       actKind = iota
	actAwait              // client: read complete responses
	actExpectText         // client: read until a text was seen
	actCloseWrite         // both
	actPause              // both
	actReset              // both
	actClose              // both
	actHold               // both
	actCall               // both
	actStall              // origin
	actReadBody           // origin
	actReadMore           // origin
	actTrickle            // both
	actRepeat             // both
)

// Send writes text (placeholders filled) in one write. Client and origin.
func Send(text string) Act { return Act{kind: actSend, text: text} }

// Trickle writes text one byte at a time with pause between. Client and origin.
func Trickle(text string, pause time.Duration) Act {
	return Act{kind: actTrickle, text: text, pause: pause}
}

// Repeat writes text count times, or until the connection breaks. Client and origin.
func Repeat(text string, count int) Act { return Act{kind: actRepeat, text: text, count: count} }

// Await reads until count final responses (in all since the connection began) are complete by their framing. Client.
func Await(count int) Act { return Act{kind: actAwait, count: count} }

// AwaitText reads until text was received. Client.
func AwaitText(text string) Act { return Act{kind: actExpectText, text: text} }

// CloseWrite sends FIN and goes on reading. Client and origin.
func CloseWrite() Act { return Act{kind: actCloseWrite} }

// Pause lets time pass: for what is defined by time (an expiry, a timeout), never to wait for an event.
func Pause(d time.Duration) Act { return Act{kind: actPause, pause: d} }

// Reset ends the connection with RST. Client and origin.
func Reset() Act { return Act{kind: actReset} }

// Close ends the connection with FIN. Client and origin.
func Close() Act { return Act{kind: actClose} }

// Hold waits until the channel is closed. Client and origin.
func Hold(until <-chan struct{}) Act { return Act{kind: actHold, until: until} }

// Call runs f between two acts. Client and origin.
func Call(f func()) Act { return Act{kind: actCall, call: f} }

// Stall keeps the connection and says nothing until the other side closes it. Origin.
func Stall() Act { return Act{kind: actStall} }

// ReadBody reads the request's body (needed after Early only). Origin.
func ReadBody() Act { return Act{kind: actReadBody} }

// ReadMore reads and records whatever comes until the other side closes, at most count bytes. Origin.
func ReadMore(count int) Act { return Act{kind: actReadMore, count: count} }

// A Reply is what an origin does for one request.
type Reply struct {
	Acts  []Act
	Early bool // begin right after the request head, without reading the body
}

// Answer is the usual reply: the text, then the connection is kept.
func Answer(text string) Reply { return Reply{Acts: []Act{Send(text)}} }

// AnswerClose sends text and closes the connection.
func AnswerClose(text string) Reply { return Reply{Acts: []Act{Send(text), Close()}} }

// Does is a reply made of acts.
func Does(acts ...Act) Reply { return Reply{Acts: acts} }
