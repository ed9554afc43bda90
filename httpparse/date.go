package httpparse

const (
	dayNames   = "SunMonTueWedThuFriSat"
	monthNames = "JanFebMarAprMayJunJulAugSepOctNovDec"
	secsPerDay = 86400
)

// AppendDate appends an IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110
// section 5.6.7), 29 bytes. unix is in seconds, from 0 to the end of year 9999.
func AppendDate(dst []byte, unix int64) []byte {
	days, secs := unix/secsPerDay, unix%secsPerDay
	year, month, day := civil(days)
	weekday := (days + 4) % 7 * 3 // 1 January 1970 was a Thursday
	m := (month - 1) * 3
	dst = append(dst, dayNames[weekday:weekday+3]...)
	dst = append(dst, ',', ' ')
	dst = append2(dst, day)
	dst = append(dst, ' ')
	dst = append(dst, monthNames[m:m+3]...)
	dst = append(dst, ' ')
	dst = append2(dst, year/100)
	dst = append2(dst, year%100)
	dst = append(dst, ' ')
	dst = append2(dst, secs/3600)
	dst = append(dst, ':')
	dst = append2(dst, secs/60%60)
	dst = append(dst, ':')
	dst = append2(dst, secs%60)
	return append(dst, " GMT"...)
}

func append2(dst []byte, n int64) []byte { return append(dst, '0'+byte(n/10), '0'+byte(n%10)) }

// civil turns days since 1 January 1970 (not before) into a date. Years are
// counted from March so that the leap day is the last; 146097 days are 400 years.
func civil(days int64) (year, month, day int64) {
	days += 719468 // since 1 March of year 0
	era := days / 146097
	doe := days % 146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = doy - (153*mp+2)/5 + 1
	month = mp + 3
	year = era*400 + yoe
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}

// daysSince1970 is the inverse of civil.
func daysSince1970(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
}

// ParseDate reads any of the three forms of RFC 9110 section 5.6.7: IMF-fixdate,
// RFC 850 and asctime. The weekday is not checked, a two-digit year is 1970 to
// 2069 as in nginx (ngx_parse_http_time). unix is in seconds.
func ParseDate(b []byte) (unix int64, ok bool) {
	i := 0
	for i < len(b) && isAlpha(b[i]) {
		i++
	}
	if i < 3 {
		return 0, false
	}
	if i < len(b) && b[i] == ',' {
		return parseDayFirst(b[i+1:])
	}
	return parseAsctime(b[i:])
}

// parseDayFirst reads " 06 Nov 1994 08:49:37 GMT" or " 06-Nov-94 08:49:37 GMT".
func parseDayFirst(b []byte) (int64, bool) {
	if len(b) < 21 || b[0] != ' ' {
		return 0, false
	}
	sep := b[3]
	day, ok1 := digits2(b[1:])
	month, ok2 := monthOf(b[4:])
	if !ok1 || !ok2 || sep != ' ' && sep != '-' || b[7] != sep {
		return 0, false
	}
	century, ok1 := digits2(b[8:])
	year := century
	rest := b[10:]
	if sep == ' ' {
		low, ok := digits2(rest)
		ok1 = ok1 && ok
		year = century*100 + low
		rest = rest[2:]
	} else if year < 70 {
		year += 2000
	} else {
		year += 1900
	}
	if !ok1 || len(rest) != 13 || rest[0] != ' ' || string(rest[9:]) != " GMT" {
		return 0, false
	}
	return unixTime(year, month, day, rest[1:9])
}

// parseAsctime reads " Nov  6 08:49:37 1994".
func parseAsctime(b []byte) (int64, bool) {
	if len(b) != 21 || b[0] != ' ' || b[4] != ' ' || b[7] != ' ' || b[16] != ' ' {
		return 0, false
	}
	month, ok1 := monthOf(b[1:])
	day := int64(b[6]) - '0'
	ok2 := isDigit(b[6])
	if b[5] != ' ' {
		day, ok2 = digits2(b[5:])
	}
	century, ok3 := digits2(b[17:])
	low, ok4 := digits2(b[19:])
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return 0, false
	}
	return unixTime(century*100+low, month, day, b[8:16])
}

func digits2(b []byte) (int64, bool) {
	if !isDigit(b[0]) || !isDigit(b[1]) {
		return 0, false
	}
	return int64(b[0]-'0')*10 + int64(b[1]-'0'), true
}

func monthOf(b []byte) (int64, bool) {
	for i := 0; i < len(monthNames); i += 3 {
		if string(b[:3]) == monthNames[i:i+3] {
			return int64(i/3 + 1), true
		}
	}
	return 0, false
}

// unixTime puts a date and "hh:mm:ss" together and checks their ranges.
func unixTime(year, month, day int64, clock []byte) (int64, bool) {
	h, ok1 := digits2(clock)
	m, ok2 := digits2(clock[3:])
	s, ok3 := digits2(clock[6:])
	if !ok1 || !ok2 || !ok3 || clock[2] != ':' || clock[5] != ':' || h > 23 || m > 59 || s > 59 {
		return 0, false
	}
	days := daysSince1970(year, month, day)
	if days < 0 {
		return 0, false
	}
	if y, mo, d := civil(days); y != year || mo != month || d != day {
		return 0, false // such as 31 April
	}
	return days*secsPerDay + h*3600 + m*60 + s, true
}
