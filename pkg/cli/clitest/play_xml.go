package clitest

import (
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// el is an element around others; one around nothing is left out.
func el(name string, inner ...string) string {
	text := strings.Join(inner, "")
	if text == "" {
		return ""
	}
	return "<" + name + ">" + text + "</" + name + ">"
}

// txt is an element around a text.
func txt(name, text string) string { return el(name, html.EscapeString(text)) }

func num(name string, n int) string { return el(name, strconv.Itoa(n)) }

func yes(name string, b bool) string { return el(name, strconv.FormatBool(b)) }

func at(name string, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return el(name, t.UTC().Format("2006-01-02T15:04:05.000Z"))
}

// set is a list in EC2's form.
func set[T any](name string, items []T, one func(T) string) string {
	return list(name, "item", items, one)
}

// members is a list in the form of the services that speak awsquery.
func members[T any](name string, items []T, one func(T) string) string {
	return list(name, "member", items, one)
}

func list[T any](name, each string, items []T, one func(T) string) string {
	var out strings.Builder
	for _, item := range items {
		out.WriteString("<" + each + ">" + one(item) + "</" + each + ">")
	}
	return "<" + name + ">" + out.String() + "</" + name + ">"
}

// itself is an item that is a text.
func itself(text string) string { return html.EscapeString(text) }

func tags(of map[string]string) string {
	var keys []string
	for key := range of {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return set("tagSet", keys, func(key string) string { return txt("key", key) + txt("value", of[key]) })
}

// ec2List answers a call of EC2 by a page of a list.
func ec2List[T any](p *Play, form url.Values, name string, items []T, one func(T) string) answer {
	asked, _ := strconv.Atoi(form.Get("MaxResults"))
	from, to, next := p.page(len(items), form.Get("NextToken"), asked)
	return ok("<R>%s%s</R>", set(name, items[from:to], one), txt("nextToken", next))
}
