module github.com/eksnodes/kubectl-eksnodes

go 1.26.8
