package userdata

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"

	"go.yaml.in/yaml/v3"
)

// userParts turns one piece of the user's own user data into MIME parts: a MIME document gives its parts, what
// begins like one of cloud-init's formats goes under that format's type, a YAML map must be a NodeConfig, and anything
// else is a shell script.
func userParts(raw []byte) ([]part, error) {
	text, err := decode(raw)
	if err != nil {
		return nil, err
	}
	text = stripCR(text)
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	if reader, ok := multipartReader(text); ok {
		return readParts(reader)
	}
	if mediaType, ok := cloudInitType(string(text)); ok {
		return []part{newPart(mediaType, string(text))}, nil
	}
	switch formatOf(string(text)) {
	case FormatNodeConfig:
		if err := checkNodeConfig(text); err != nil {
			return nil, err
		}
		return []part{newPart(typeNodeConfig, string(text))}, nil
	case FormatBottlerocket:
		return nil, errors.New("these are settings of Bottlerocket, not of this family")
	case FormatPowerShell:
		return nil, errors.New("this is PowerShell, for Windows")
	}
	// Without an interpreter line the kernel refuses to run the script, and cloud-init reports "Exec format error".
	return []part{shellPart("#!/bin/bash\n" + string(text))}, nil
}

// checkNodeConfig refuses what nodeadm would stumble over. A field that is unknown here may be known to a newer image,
// and what is missing may stand in our own NodeConfig: neither is refused.
func checkNodeConfig(text []byte) error {
	if isYAMLMap(text) && !isNodeConfig(text) {
		return fmt.Errorf("a YAML document must be a NodeConfig (apiVersion: %s, kind: %s) or begin with #cloud-config",
			nodeConfigVersion, nodeConfigKind)
	}
	for _, fault := range Parse(text).Faults {
		if fault.Kind == FaultYAML || fault.Kind == FaultValue {
			return fmt.Errorf("NodeConfig, line %d: %s (if it is meant to be a script, it must begin with #!)", fault.Line, fault.Detail)
		}
	}
	return nil
}

// cloudInitType tells a format of cloud-init's by its first line
// (https://docs.cloud-init.io/en/latest/explanation/format.html).
func cloudInitType(text string) (mediaType string, ok bool) {
	for _, known := range []struct{ prefix, mediaType string }{
		{"#!", typeShell},
		{"#cloud-boothook", typeBoothook},
		{"#cloud-config-archive", "text/cloud-config-archive"},
		{"#cloud-config", typeCloudConfig},
		{"#include", "text/x-include-url"},
		{"#part-handler", "text/part-handler"},
		{"## template: jinja", "text/jinja2"},
	} {
		if strings.HasPrefix(text, known.prefix) {
			return known.mediaType, true
		}
	}
	return "", false
}

// multipartReader opens a MIME multipart document; ok is false when text is not one.
func multipartReader(text []byte) (reader *multipart.Reader, ok bool) {
	message, err := mail.ReadMessage(bytes.NewReader(text))
	if err != nil {
		return nil, false
	}
	mediaType, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(mediaType, "multipart/") || params["boundary"] == "" {
		return nil, false
	}
	return multipart.NewReader(message.Body, params["boundary"]), true
}

// readParts keeps headers and encoded bodies as they are.
func readParts(reader *multipart.Reader) ([]part, error) {
	var parts []part
	for {
		next, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return parts, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read part %d of the MIME document: %w", len(parts)+1, err)
		}
		body, err := io.ReadAll(next)
		if err != nil {
			return nil, fmt.Errorf("read part %d of the MIME document: %w", len(parts)+1, err)
		}
		parts = append(parts, part{header: next.Header, body: string(body)})
	}
}

func isYAMLMap(text []byte) bool {
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil || len(node.Content) == 0 {
		return false
	}
	return node.Content[0].Kind == yaml.MappingNode
}

func isNodeConfig(text []byte) bool {
	var head struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string `yaml:"kind"`
	}
	err := yaml.Unmarshal(text, &head)
	return err == nil && strings.HasPrefix(head.APIVersion, "node.eks.aws/") && head.Kind == nodeConfigKind
}
