COPY t TO PROGRAM 'cat > /tmp/x'
