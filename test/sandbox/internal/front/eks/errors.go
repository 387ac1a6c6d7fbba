package eks

import (
	"net/http"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
)

// The error types of the service, from the Amazon EKS API Reference, "Errors"
// of each action. Their JSON carries the cluster's name beside the message.

func notFound(clusterName, message string) *awsapi.Error {
	return failure("ResourceNotFoundException", http.StatusNotFound, clusterName, message)
}

func inUse(clusterName, message string) *awsapi.Error {
	return failure("ResourceInUseException", http.StatusConflict, clusterName, message)
}

func invalidParameter(clusterName, message string) *awsapi.Error {
	return failure("InvalidParameterException", http.StatusBadRequest, clusterName, message)
}

func invalidRequest(clusterName, message string) *awsapi.Error {
	return failure("InvalidRequestException", http.StatusBadRequest, clusterName, message)
}

func failure(code string, status int, clusterName, message string) *awsapi.Error {
	e := &awsapi.Error{Code: code, Status: status, Message: message}
	if clusterName != "" {
		e.Fields = map[string]string{"clusterName": clusterName}
	}
	return e
}
