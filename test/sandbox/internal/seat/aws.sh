#!/bin/sh
# The AWS CLI, but for what kubeconfigs call at every turn: `aws eks get-token` is
# played by the token command of the same library that checks the tokens, which
# takes milliseconds where the CLI takes a second.
case " $* " in
*" eks get-token "*) ;;
*) exec @PYTHON@ -m awscli "$@" ;;
esac
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
	echo "aws (sandbox): 'aws eks get-token --cluster-name NAME' is played here, not 'aws$command'" >&2
	exit 252
fi
[ -z "$profile" ] || export AWS_PROFILE="$profile"
exec aws-iam-authenticator token -i "$cluster" ${region:+--region "$region"} ${role:+-r "$role"}
