// Package authmap reads and edits the text of the aws-auth ConfigMap
// (kube-system/aws-auth) and answers what the cluster's authenticator makes
// of it.
//
// Three parts, all pure:
//
//   - Parse reads mapRoles, mapUsers and mapAccounts exactly as
//     aws-iam-authenticator does (pkg/mapper/configmap, v0.7.18).
//   - AddRole and RemoveRole splice one mapping into or out of mapRoles. They
//     never re-marshal: comments, order, quoting, unknown keys, line endings and
//     every other byte stay. The result is read again with Parse's logic and is
//     handed out only when nothing but our entry has changed.
//   - Simulate tells which Kubernetes user an AWS identity becomes, or why it
//     becomes none.
//
// The ConfigMap is described in "Grant IAM users access to Kubernetes with a
// ConfigMap", https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html.
package authmap
