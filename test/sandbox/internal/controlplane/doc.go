// Package controlplane runs the cluster's control plane: real etcd, API server,
// controller manager and scheduler, and aws-iam-authenticator as the API server's
// token webhook. It supplies what EKS itself has put into a fresh cluster
// (bootstrap.go) and turns access entries into what the authenticator reads
// (access.go).
package controlplane
