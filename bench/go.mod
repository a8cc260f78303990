module github.com/finalbell/finalbell/bench

go 1.26.0

replace github.com/finalbell/finalbell => ../

require (
	github.com/bytedance/gopkg v0.1.4
	github.com/finalbell/finalbell v0.0.0-00010101000000-000000000000
	github.com/google/btree v1.1.3
	github.com/stretchr/testify v1.12.1
	github.com/tidwall/btree v1.8.2
)

require go.yaml.in/yaml/v3 v3.0.5 // indirect
