package clitest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strings"
)

// ssm is Run Command of machines that are all online, where there is a report
// that they print: an agent that is installed on them, whatever is run. Without
// one no machine is online.
func (p *Play) ssm(operation string, body []byte) answer {
	var in struct {
		InstanceIDs []string `json:"InstanceIds"`
		InstanceID  string   `json:"InstanceId"`
		Filters     []struct{ Values []string }
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return refuse("ssm", http.StatusBadRequest, "ValidationException", err.Error())
	}
	switch operation {
	case "DescribeInstanceInformation":
		online := []map[string]string{}
		for _, filter := range in.Filters {
			for _, id := range filter.Values {
				if p.Report != nil {
					online = append(online, map[string]string{"InstanceId": id, "PingStatus": "Online"})
				}
			}
		}
		return object(map[string]any{"InstanceInformationList": online})
	case "SendCommand":
		return object(map[string]any{"Command": map[string]string{"CommandId": "c-" + strings.Join(in.InstanceIDs, "-")}})
	case "GetCommandInvocation":
		return object(map[string]any{
			"Status": "Success", "StatusDetails": "Success", "ResponseCode": 0, "StandardOutputContent": printed(p.Report(in.InstanceID)),
		})
	}
	return unknown("ssm", operation)
}

// printed is a report as the script that is sent prints it.
func printed(document []byte) string {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, _ = writer.Write(document) // a buffer takes everything
	_ = writer.Close()
	return "node-agent v1\n" + encode(packed.Bytes()) + "\nnode-agent end\n"
}
