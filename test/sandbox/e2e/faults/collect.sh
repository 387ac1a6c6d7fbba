#!/bin/bash
# Collects what docs/evidence.md lists into the directory $1, with the AWS CLI
# and kubectl alone: cluster $2 in region $3. What cannot be had is left out.
set -u
cd "$1" || exit 1
cluster=$2
export AWS_REGION=$3 AWS_DEFAULT_REGION=$3 AWS_DEFAULT_OUTPUT=json
mkdir -p aws/{eks,ec2,autoscaling,cloudformation,iam} kube
printf '{"collectedAt": "%s", "cluster": "%s", "region": "%s"}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$cluster" "$3" >manifest.json

# save FILE COMMAND...: the file is there only when the command succeeds.
save() {
	local file=$1
	shift
	"$@" >"$file" || { echo "not collected: $*" >&2; rm -f "$file"; }
}
kube() { save "kube/$1.json" kubectl get "${@:2}" -o json; }

save kube/version.json kubectl version -o json
save kube/configmap-aws-auth.yaml kubectl -n kube-system get configmap aws-auth -o yaml
kube nodes nodes
kube csr csr
for all in daemonsets pods events leases serviceaccounts; do kube $all -A $all; done
for one in clusterrolebindings validatingwebhookconfigurations mutatingwebhookconfigurations; do kube $one $one; done

save aws/eks/describe-cluster.json aws eks describe-cluster --name "$cluster"
save aws/eks/list-access-entries.json aws eks list-access-entries --cluster-name "$cluster"
for arn in $(aws eks list-access-entries --cluster-name "$cluster" --query 'accessEntries[]' --output text); do
	save "aws/eks/describe-access-entry.${arn##*/}.json" aws eks describe-access-entry --cluster-name "$cluster" --principal-arn "$arn"
done
save aws/eks/list-addons.json aws eks list-addons --cluster-name "$cluster"
for addon in $(aws eks list-addons --cluster-name "$cluster" --query 'addons[]' --output text); do
	save "aws/eks/describe-addon.$addon.json" aws eks describe-addon --cluster-name "$cluster" --addon-name "$addon"
done

for what in instances instance-status subnets route-tables security-groups network-acls vpcs vpc-endpoints nat-gateways internet-gateways dhcp-options; do
	save "aws/ec2/describe-$what.json" aws ec2 "describe-$what"
done
vpc=$(aws eks describe-cluster --name "$cluster" --query cluster.resourcesVpcConfig.vpcId --output text)
for attribute in enableDnsSupport enableDnsHostnames; do
	save "aws/ec2/describe-vpc-attribute.$attribute.json" aws ec2 describe-vpc-attribute --vpc-id "$vpc" --attribute $attribute
done
save aws/autoscaling/describe-auto-scaling-groups.json aws autoscaling describe-auto-scaling-groups
save aws/autoscaling/describe-scaling-activities.json aws autoscaling describe-scaling-activities
save aws/cloudformation/describe-stacks.json aws cloudformation describe-stacks
save aws/ec2/describe-launch-template-versions.json aws ec2 describe-launch-template-versions --page-size 200 --versions '$Latest' '$Default'
images=$(aws ec2 describe-launch-template-versions --page-size 200 --versions '$Latest' --query 'LaunchTemplateVersions[].LaunchTemplateData.ImageId' --output text | tr '\t' '\n' | sort -u)
types=$(aws ec2 describe-launch-template-versions --page-size 200 --versions '$Latest' --query 'LaunchTemplateVersions[].LaunchTemplateData.InstanceType' --output text | tr '\t' '\n' | sort -u)
save aws/ec2/describe-instance-types.json aws ec2 describe-instance-types --instance-types $types
save aws/ec2/describe-instance-type-offerings.json aws ec2 describe-instance-type-offerings --location-type availability-zone --filters "Name=instance-type,Values=$(echo $types | tr ' ' ',')"
save aws/ec2/describe-key-pairs.json aws ec2 describe-key-pairs
save aws/ec2/describe-images.json aws ec2 describe-images --image-ids $images

save aws/iam/list-instance-profiles.json aws iam list-instance-profiles
cluster_role=$(aws eks describe-cluster --name "$cluster" --query cluster.roleArn --output text)
for role in "${cluster_role##*/}" $(aws iam list-instance-profiles --query 'InstanceProfiles[].Roles[].RoleName' --output text); do
	save "aws/iam/get-role.$role.json" aws iam get-role --role-name "$role"
	save "aws/iam/list-attached-role-policies.$role.json" aws iam list-attached-role-policies --role-name "$role"
	save "aws/iam/list-role-policies.$role.json" aws iam list-role-policies --role-name "$role"
done
for id in $(aws ec2 describe-instances --filters Name=instance-state-name,Values=running --query 'Reservations[].Instances[].InstanceId' --output text); do
	save "aws/ec2/describe-instance-attribute.userData.$id.json" aws ec2 describe-instance-attribute --attribute userData --instance-id "$id"
	save "aws/ec2/get-console-output.$id.json" aws ec2 get-console-output --latest --instance-id "$id"
done
