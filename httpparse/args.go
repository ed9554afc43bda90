package httpparse

import "bytes"

// QueryArg returns the value of the first argument with this name, in any case,
// undecoded, as nginx's $arg_name does: only arguments with a '=' count. The value
// aliases query.
func QueryArg(query, name []byte) (value []byte, ok bool) {
	for len(query) > 0 {
		arg := query
		if i := bytes.IndexByte(query, '&'); i >= 0 {
			arg, query = query[:i], query[i+1:]
		} else {
			query = nil
		}
		if len(arg) > len(name) && arg[len(name)] == '=' && EqualFold(arg[:len(name)], name) {
			return arg[len(name)+1:], true
		}
	}
	return nil, false
}

// Cookie returns the value of the first cookie with this name, in any case, in a
// Cookie field's value, as nginx's $cookie_name does
// (ngx_http_parse_multi_header_lines). The value aliases field.
func Cookie(field, name []byte) (value []byte, ok bool) {
	for len(field) > 0 {
		pair := field
		if i := bytes.IndexAny(field, ";,"); i >= 0 {
			pair = field[:i]
		}
		if len(pair) > len(name) && EqualFold(pair[:len(name)], name) {
			rest := skipSpaces(field[len(name):])
			if len(rest) > 0 && rest[0] == '=' {
				rest = skipSpaces(rest[1:])
				// Commas end what did not match, not a value.
				if i := bytes.IndexByte(rest, ';'); i >= 0 {
					rest = rest[:i]
				}
				return rest, true
			}
		}
		field = skipSpaces(field[min(len(pair)+1, len(field)):])
	}
	return nil, false
}
