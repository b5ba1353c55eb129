timeout 6 build/release/deeper bench --model /tmp/g.safetensors --batch 1 --threads 2 --seconds 3 --json
timeout 6 build/release/deeper bench --model /tmp/g.safetensors --batch 4 --threads 2 --seconds 3 --json
timeout 6 build/release/deeper bench --model /tmp/g.safetensors --batch 8 --threads 2 --seconds 3 --json
timeout 6 build/release/deeper bench --model /tmp/g.safetensors --batch 16 --threads 2 --seconds 3 --json
