package eks

import (
	"context"
	"maps"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
)

// tagsAt returns the tags of the cluster or access entry with this ARN. The
// caller holds the lock.
func (s *Service) tagsAt(arn string) (*map[string]string, error) {
	for name, c := range s.clusters {
		if s.clusterARN(name) == arn {
			return &c.Tags, nil
		}
		for _, e := range c.Entries {
			if e.ARN == arn {
				return &e.Tags, nil
			}
		}
	}
	return nil, failure("NotFoundException", 404, "", "The requested resource was not found: "+arn)
}

func (s *Service) tagResource(_ context.Context, call awsapi.Call) (any, error) {
	var in struct {
		Tags map[string]string `json:"tags"`
	}
	if err := decode(call, &in); err != nil {
		return nil, err
	}
	return object{}, s.change(func() error {
		tags, err := s.tagsAt(call.Path["resourceArn"])
		if err != nil {
			return err
		}
		next := maps.Clone(tagsOf(*tags))
		maps.Copy(next, in.Tags)
		*tags = next
		return nil
	})
}

func (s *Service) untagResource(_ context.Context, call awsapi.Call) (any, error) {
	return object{}, s.change(func() error {
		tags, err := s.tagsAt(call.Path["resourceArn"])
		if err != nil {
			return err
		}
		// Answers that are being written still hold the old map.
		next := maps.Clone(*tags)
		maps.DeleteFunc(next, func(k, _ string) bool { return slices.Contains(call.Form["tagKeys"], k) })
		*tags = next
		return nil
	})
}

func (s *Service) listTagsForResource(_ context.Context, call awsapi.Call) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tags, err := s.tagsAt(call.Path["resourceArn"])
	if err != nil {
		return nil, err
	}
	return object{"tags": tagsOf(maps.Clone(*tags))}, nil
}
