package check

import (
	"fmt"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// hostIAMRows are about the machine's credentials.
func hostIAMRows() []hostRow {
	imds := probes(snapshot.ProbeIMDS)
	return []hostRow{
		{id: "instance.metadata", title: "instance metadata is on", why: "A machine takes its credentials from it.", ref: docIMDS, link: LinkCredentials, needs: imds, rule: metadataIsOn},
		{id: "iam.no-instance-profile", title: "instance profile", why: "It hands the machine its role.", ref: docNodeRole, link: LinkCredentials, needs: imds, rule: hasProfile},
		{id: "iam.profile-empty", title: "role in the instance profile", why: "A profile without a role gives no credentials.", ref: docNodeRole, link: LinkCredentials, needs: imds, rule: profileHasRole},
		{id: "iam.trust-not-ec2", title: "EC2 may assume the role", why: "Otherwise there are no credentials.", ref: docNodeRole, link: LinkCredentials, needs: imds, rule: roleAssumed},
		{
			id: "iam.credentials-expired", title: "credentials of the machine are good",
			why: "Instance metadata renews them long before they run out; that they have means that the role was taken away, or that the clock is wrong.",
			ref: docNodeRole, link: LinkCredentials, needs: imds, path: true, rule: credentialsFresh,
		},
		{
			id: "iam.identity", title: "STS takes the machine's credentials",
			why: "The cluster asks STS who has signed a token: whom STS does not know, no cluster does.",
			ref: docNodeRole, link: LinkCredentials, needs: probes(snapshot.ProbeIdentity), path: true, rule: knownToSTS,
		},
		{id: "iam.no-credentials", title: "programs find credentials", why: "They take them from instance metadata.", ref: docNodeRole, link: LinkCredentials, needs: probes(snapshot.ProbeIMDS, snapshot.ProbeIdentity), rule: findsCredentials},
		{id: "iam.sts-region-off", title: "STS in the region", why: "It may be turned off.", ref: docJoin, link: LinkCredentials, needs: probes(snapshot.ProbeIdentity), rule: stsIsOn},
	}
}

const docIMDS = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html"

// metadataIsOn knows one answer of its own: 403 to the request for a token
// means that metadata is turned off.
func metadataIsOn(v *hostView) []Result {
	switch v.IMDS.TokenStatus {
	case 200:
		return pass("it is on", append([]report.Evidence{agent(snapshot.ProbeIMDS, "a session token was given")}, tokensTravel(v)...)...)
	case 403:
		return fail(report.Certain, "instance metadata is off", do("turn it on, in the launch template too",
			"aws ec2 modify-instance-metadata-options --region "+region(v)+" --http-endpoint enabled --http-tokens required --instance-id "+nodeName(v.node)),
			agent(snapshot.ProbeIMDS, "the request for a session token was answered 403"))
	}
	return nil
}

// tokensTravel is how far session tokens come, where that was seen. It proves
// nothing wrong: one hop keeps pods away from the machine's credentials, and two
// let them have them, and people choose either.
func tokensTravel(v *hostView) []report.Evidence {
	if v.HopLimit == nil {
		return nil
	}
	unit := "hops"
	if v.HopLimit.Hops == 1 {
		unit = "hop"
	}
	return []report.Evidence{agent(snapshot.ProbeHopLimit, fmt.Sprintf("the packets of a session token had %d %s left", v.HopLimit.Hops, unit))}
}

func region(v *hostView) string {
	if v.snap.Target.Region != "" {
		return v.snap.Target.Region
	}
	return "REGION"
}

func hasProfile(v *hostView) []Result {
	if v.IMDS.HasProfile == nil {
		return nil
	}
	if !*v.IMDS.HasProfile {
		return fail(report.Certain, "the machine has no instance profile", do("associate the group's profile, and name it in the launch template",
			"aws ec2 associate-iam-instance-profile --region "+region(v)+" --iam-instance-profile Name=PROFILE --instance-id "+nodeName(v.node)), agent(snapshot.ProbeIMDS, "iam/info: 404"))
	}
	return pass("it has one", agent(snapshot.ProbeIMDS, v.IMDS.ProfileARN))
}

func profileHasRole(v *hostView) []Result {
	i := v.IMDS
	if i.HasProfile == nil || !*i.HasProfile {
		return nil
	}
	found := agent(snapshot.ProbeIMDS, i.ProfileARN+": iam/info says "+i.InfoCode)
	if i.RoleName == "" || i.InfoCode != "" && i.InfoCode != "Success" {
		return fail(report.Certain, "the machine's instance profile gives no role", do("put the role into the profile", "aws iam add-role-to-instance-profile --instance-profile-name "+lastSegment(i.ProfileARN)+" --role-name ROLE"), found)
	}
	return pass("it has role "+i.RoleName, found)
}

func roleAssumed(v *hostView) []Result {
	if v.IMDS.CredentialsCode == "" {
		return nil
	}
	found := agent(snapshot.ProbeIMDS, "credentials of "+v.IMDS.RoleName+": "+v.IMDS.CredentialsCode)
	if v.IMDS.CredentialsCode != "Success" {
		return fail(report.Certain, "EC2 may not assume the machine's role: "+v.IMDS.CredentialsCode, do("let ec2.amazonaws.com assume the role", "aws iam get-role --role-name "+v.IMDS.RoleName+" --query Role.AssumeRolePolicyDocument"), found)
	}
	return nil // the policy itself is the rule's to judge
}

func credentialsFresh(v *hostView) []Result {
	i := v.IMDS
	if i.CredentialsExpires.IsZero() || clockWrong(v) { // what has run out by a wrong clock has not
		return nil
	}
	found := agent(snapshot.ProbeIMDS, "credentials of "+i.RoleName+" until "+stamp(i.CredentialsExpires))
	if v.CollectedAt.After(i.CredentialsExpires) {
		return fail(report.Certain, "the machine's credentials have run out", do("see whether the role is still in the profile, and the clock right", "timedatectl"), found)
	}
	return pass("they are", found)
}

func knownToSTS(v *hostView) []Result {
	id := v.Identity
	switch {
	case id.Failure == nil:
		return pass("STS knows it", agent(snapshot.ProbeIdentity, id.ARN))
	case clockWrong(v):
		return nil // auth.clock-skew tells
	case id.Failure.Kind == snapshot.FailDenied && id.Failure.Code != "RegionDisabledException":
		return fail(report.Certain, "STS refuses the machine's credentials: "+id.Failure.Code, do("see whether the role still exists, and the clock is right", "timedatectl"), agent(snapshot.ProbeIdentity, id.Failure.Detail))
	}
	return nil
}

func stsIsOn(v *hostView) []Result {
	if v.Identity.Failure == nil || v.Identity.Failure.Code != "RegionDisabledException" {
		return nil
	}
	return fail(report.Certain, "STS is turned off in the region", do("turn it on: IAM console, account settings, security token service"), agent(snapshot.ProbeIdentity, v.Identity.Failure.Detail))
}

// findsCredentials: what a program logged some time ago does not count when
// the credentials are there now.
func findsCredentials(v *hostView) []Result {
	if v.IMDS.CredentialsCode == "Success" && v.Identity.Failure == nil {
		return pass("they are there", agent(snapshot.ProbeIdentity, v.Identity.ARN))
	}
	return nil
}
