"""CloudFormation, as far as node group stacks need it, in place of moto's own.

moto creates a stack synchronously, with two events, no rollback and no checks.
This engine works like the service: see BEHAVIOUR.md. Resources are made through
moto's IAM, EC2 and Auto Scaling, so whatever a stack makes is seen by every API.
"""
