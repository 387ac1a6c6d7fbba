package signature

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// open takes a line as it stands in a log apart: when it was written, if it
// says so with a year, and the text to search.
func open(text string) (at time.Time, message string) {
	text = strings.TrimRight(text, "\r\n")
	if strings.HasPrefix(text, "{") {
		if at, message, ok := journalEntry(text); ok {
			if at.IsZero() {
				at = timeIn(message)
			}
			return at, message
		}
	}
	return timeIn(text), text
}

// journalEntry reads a line of journalctl -o json.
func journalEntry(text string) (at time.Time, message string, ok bool) {
	var entry struct {
		Message  json.RawMessage `json:"MESSAGE"` // a string, or bytes as numbers when it is not UTF-8
		Realtime string          `json:"__REALTIME_TIMESTAMP"`
	}
	if err := json.Unmarshal([]byte(text), &entry); err != nil || entry.Message == nil {
		return at, "", false
	}
	if err := json.Unmarshal(entry.Message, &message); err != nil {
		var raw []uint8
		var numbers []int
		if err := json.Unmarshal(entry.Message, &numbers); err != nil {
			return at, "", false
		}
		for _, n := range numbers {
			raw = append(raw, byte(n))
		}
		message = string(raw)
	}
	if micros, err := strconv.ParseInt(entry.Realtime, 10, 64); err == nil {
		at = time.UnixMicro(micros).UTC()
	}
	return at, message, true
}

// stamps are times with a year as logs write them: at the start of a line
// (short-iso, most Go programs), or in the fields ts and time of JSON and
// logrus.
var stamps = regexp.MustCompile(`^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)|(?:"(?:ts|time|timestamp)":\s*|\btime=)"(\d{4}-\d\d-\d\d[T ][^"]{8,24})"|"ts":\s*(\d{9,10}(?:\.\d+)?)`)

// timeIn finds when a line was written; zero when it does not say.
func timeIn(text string) time.Time {
	found := stamps.FindStringSubmatch(text[:min(len(text), 400)])
	if found == nil {
		return time.Time{}
	}
	if seconds, err := strconv.ParseFloat(found[3], 64); err == nil {
		return time.UnixMilli(int64(seconds * 1000)).UTC()
	}
	stamp := strings.Replace(strings.Replace(found[1]+found[2], " ", "T", 1), ",", ".", 1)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, stamp); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}
