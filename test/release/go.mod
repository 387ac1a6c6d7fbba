module github.com/eksnodes/kubectl-eksnodes/test/release

go 1.26.8
