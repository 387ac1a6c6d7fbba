#!/bin/sh
# Stands in for the AWS CLI in kubeconfigs: `aws eks get-token`, by the same
# library's token command. Nothing else of the CLI is here, and it says so.
command= cluster= region=${AWS_REGION:-} role= profile=
while [ $# -gt 0 ]; do
	case $1 in
	--region) region=$2; shift ;;
	--cluster-name) cluster=$2; shift ;;
	--role-arn) role=$2; shift ;;
	--profile) profile=$2; shift ;;
	--output) shift ;;
	-*)
		echo "aws (sandbox): option $1 is not played here" >&2
		exit 252
		;;
	*) command="$command $1" ;;
	esac
	shift
done
if [ "$command" != " eks get-token" ] || [ -z "$cluster" ]; then
	echo "aws (sandbox): only 'aws eks get-token --cluster-name NAME' is played here, not 'aws$command'" >&2
	exit 252
fi
[ -z "$profile" ] || export AWS_PROFILE="$profile"
exec aws-iam-authenticator token -i "$cluster" ${region:+--region "$region"} ${role:+-r "$role"}
